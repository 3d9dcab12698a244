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
import { RegEvents, Registrar } from "@sipkit/registrar";
import { reloadOnHangup } from "./certificates.ts";
import { closeOnSignals } from "./close-on-signals.ts";
import { greet } from "./greet.ts";
import { LineWriter } from "./line-writer.ts";
import { logBindings } from "./log-bindings.ts";
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

  logBindings(registrar, log.write);

  const legs = await server.listen();
  if (certificates) reloadOnHangup(server, certificates);
  closeOnSignals(server);
  greet(legs, place, options);
}
