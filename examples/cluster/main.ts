/**
 * One node of several that serve a domain together: they share Redis, and nothing else. A phone registers at any of them,
 * and a call that comes to another one reaches it through the node that has its connection. docs/cluster.md has the rest.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/cluster/try.ts
 *          starts two nodes, and Redis with two replicas and three sentinels, on this machine (apt install redis-server).
 *          On many machines, with one SIPKIT_SECRET (openssl rand -hex 32), one store, and a name for each:
 *          pnpm exec tsx --conditions=@sipkit/source examples/cluster/main.ts --node a --store redis://HOST:6379 ...
 * Try it:  register one phone at the first node, over TCP, and another at the second, and call; then kill -9 a node.
 */
import { Authorize } from "@sipkit/auth";
import { Dispatcher } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { redisStore } from "@sipkit/store-redis";
import { closeOnSignals } from "../registrar/close-on-signals.ts";
import { greet } from "../registrar/greet.ts";
import { LineWriter } from "../registrar/line-writer.ts";
import { logBindings } from "../registrar/log-bindings.ts";
import { type NodeOptions, readOptions, usage } from "./options.ts";

try {
  await serve(readOptions(process.argv.slice(2), process.env));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  process.exitCode = 1;
}

async function serve(options: NodeOptions): Promise<void> {
  const { node, secrets, domain, users, htdigest, maxExpires } = options;
  const registrar = new Registrar({
    // A 200 goes out when a replica has it, too.
    store: redisStore({ ...options.redis, replicas: options.replicas }),
    // Other nodes come by a Path that leads here; the phone that comes back to another node is known by its instance.
    nodePath: true,
    matching: "instance",
    // Nobody else notices that a node with UDP phones is dead, so they come back soon, and not all at once.
    minExpires: 10,
    maxExpires,
    expiresJitter: 0.1,
    gruu: { secret: secrets },
  });
  const server = new Dispatcher({
    legs: options.legs,
    node,
    secret: secrets,
    domains: [domain],
    receiver: [
      new Authorize({
        realm: domain,
        credentials: users,
        htdigest,
        secret: secrets,
        allowPings: true,
      }),
      registrar,
      new Proxy(),
    ],
    limits: { maxConnectionsPerAddress: 10_000 },
  });

  const log = new LineWriter();
  logBindings(registrar, log.write);

  const legs = await server.listen();
  closeOnSignals(server);
  console.log(`node ${node}`);
  greet(legs, options.place, options);
}
