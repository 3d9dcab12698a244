/**
 * A SIP server for a domain's phones: digest authentication, a throttle for those who guess, registrar, proxy.
 *
 * Run it:  pnpm start
 * Try it:  register a phone as alice@example.com with password "secret" and proxy 127.0.0.1, another as bob, and call.
 */
import { hostname } from "node:os";
import { Authorize } from "@sipkit/auth";
import { Dispatcher } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { type ReachabilityEvent, RegEvents, Registrar, withoutPush } from "@sipkit/registrar";
import { reloadOnHangup } from "./certificates.ts";
import { greet } from "./greet.ts";
import { LineWriter } from "./line-writer.ts";
import { openStore } from "./open-store.ts";
import { type RegistrarExampleOptions, readOptions, usage } from "./options.ts";
import { throttle } from "./throttle.ts";

try {
  await serve(readOptions(process.argv.slice(2)));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  process.exitCode = 1;
}

async function serve(options: RegistrarExampleOptions): Promise<void> {
  const { domain, users, htdigest, minExpires, maxExpires, flowTimer, qualify, certificates } =
    options;
  const { store, place } = openStore(options.store);
  const registrar = new Registrar({
    minExpires,
    maxExpires,
    store,
    ...(flowTimer === undefined ? {} : { flowTimer }),
    ...(qualify === undefined ? {} : { qualify: { interval: qualify } }),
  });
  const log = new LineWriter();
  const server = new Dispatcher({
    legs: options.legs,
    // The same after a restart, or the flows of stored registrations would be another server's.
    node: hostname(),
    domains: [domain],
    receiver: [
      throttle(options.allow, log.write),
      new Authorize({ realm: domain, credentials: users, htdigest, allowPings: true }),
      new RegEvents(registrar),
      registrar,
      new Proxy(),
    ],
    limits: { maxConnectionsPerAddress: 10_000 },
  });

  const changes = ["added", "refreshed", "removed", "expired", "lost"] as const;
  for (const event of [...changes, "reachable", "unreachable"] as const) {
    registrar.events.on(event, ({ addressOfRecord, binding }: ReachabilityEvent) => {
      log.write(`${event} ${addressOfRecord} at ${JSON.stringify(withoutPush(binding.uri))}`);
    });
  }

  const legs = await server.listen();
  if (certificates) reloadOnHangup(server, certificates);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      console.log(`${signal}: closing`);
      server.close({ within: 2000 }).catch((error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      });
    });
  }
  greet(legs, place, options);
}
