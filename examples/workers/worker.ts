import { hostname } from "node:os";
import { Authorize } from "@sipkit/auth";
import { Dispatcher, type LegOptions, udpTransport } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { LineWriter } from "../registrar/line-writer.ts";
import { logBindings } from "../registrar/log-bindings.ts";
import { openStore } from "../registrar/open-store.ts";
import { readOptions } from "../registrar/options.ts";
import { BoundedChannel } from "./bounded-channel.ts";
import { HandOver } from "./hand-over.ts";
import { markedRandom, nodeName, type Stray } from "./stray.ts";

const { SIPKIT_PRIVATE_PORT, SIPKIT_SECRET: secret = "" } = process.env;
const [worker = 0, workers = 1] = [process.env.SIPKIT_WORKER, process.env.SIPKIT_WORKERS].map(
  Number,
);
const machine = hostname();
const options = readOptions(process.argv.slice(2));
const { domain, users, htdigest, minExpires, maxExpires } = options;
const { store } = openStore(options.store);

const parent = new BoundedChannel();
const shared = new Map<number, HandOver>();
const pass = (stray: Stray): boolean => parent.send(process, stray);

/** A leg that all workers have. */
function share(leg: LegOptions, index: number): LegOptions {
  const { listen, advertise } = leg;
  if (typeof listen !== "string" || !listen.startsWith("udp:")) return { ...leg, reusePort: true };
  const udp = udpTransport(listen as `udp:${string}`, { reusePort: true });
  const handOver = new HandOver(udp, { machine, worker, workers, leg: index, pass });
  shared.set(index, handOver);
  return { listen: handOver, ...(advertise === undefined ? {} : { advertise }) };
}

const registrar = new Registrar({
  minExpires,
  maxExpires,
  store,
  // What is registered here is reached by others through the first leg, which is this worker's alone.
  nodePath: true,
  gruu: { secret },
});
const server = new Dispatcher({
  legs: [
    `udp:127.0.0.1:${SIPKIT_PRIVATE_PORT}`,
    `tcp:127.0.0.1:${SIPKIT_PRIVATE_PORT}`,
    ...options.legs.map(share),
  ],
  // The same after a restart, or the flows of stored registrations would be another worker's.
  node: nodeName(machine, worker),
  secret,
  random: markedRandom(worker),
  domains: [domain],
  receiver: [
    new Authorize({ realm: domain, credentials: users, htdigest, secret, allowPings: true }),
    registrar,
    new Proxy(),
  ],
  limits: { maxConnectionsPerAddress: 10_000 },
});

const log = new LineWriter();
logBindings(registrar, (line) => log.write(`${worker}: ${line}`));

process.on("message", (stray: Stray) => shared.get(stray.leg)?.take(stray));
for (const end of ["SIGINT", "SIGTERM", "disconnect"] as const) {
  process.on(end, () => {
    const ended = server.close({ within: 2000 }).catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
    void ended.then(() => process.connected && process.disconnect());
  });
}
await server.listen();
process.send?.("listening");
