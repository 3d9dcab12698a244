import { Authorize } from "@sipkit/auth";
import type { Dispatcher } from "@sipkit/core";
import type { VirtualHost } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { type LocationStore, Registrar } from "@sipkit/registrar";
import type { Ledger } from "./ledger.ts";
import type { Plan, ServerPlan } from "./plan.ts";

/** The shortest registration that servers grant, in seconds. */
const MIN_EXPIRES = 5;
/** How long a database takes at most, in milliseconds. */
const SLOWEST = 80;

/** Starts a server: digest authentication, registrar, proxy. Its secret outlives it, so that its routes do. */
export async function startServer(
  host: VirtualHost,
  { domain }: ServerPlan,
  { phones, isSlow }: Plan,
  store: LocationStore,
  ledger: Ledger,
): Promise<Dispatcher> {
  const passwords = new Map(
    phones.filter((phone) => phone.domain === domain).map(({ user, password }) => [user, password]),
  );
  const random = host.random.fork("database");
  const wait = (): Promise<void> =>
    new Promise((resolve) => {
      host.clock.setTimer(random.integer(0, SLOWEST), resolve);
    });
  const credentials = async (user: string): Promise<string | undefined> => {
    await wait();
    return passwords.get(user);
  };
  const registrar = new Registrar({
    store: isSlow ? later(store, wait) : store,
    minExpires: MIN_EXPIRES,
    maxExpires: 60,
  });
  const server = await host.serve({
    domains: [domain],
    secret: `the secret of ${domain}`,
    legs: ["udp", "tcp", "ws"],
    receiver: [
      new Authorize({
        realm: domain,
        credentials: isSlow ? credentials : Object.fromEntries(passwords),
        allowCallsToUs: true,
        allowPings: true,
      }),
      registrar,
      new Proxy(),
    ],
  });
  registrar.events.on("lost", ({ addressOfRecord, binding: { uri, flow } }) => {
    if (flow === undefined || server.isAlive(flow)) {
      ledger.violate(`${addressOfRecord} at ${uri} counts as lost, and can be reached`);
    }
    ledger.acknowledged.delete(uri);
  });
  return server;
}

/** A store that answers later. */
function later(store: LocationStore, wait: () => Promise<void>): LocationStore {
  return {
    read: (user) => wait().then(() => store.read(user)),
    update: (user, change) => wait().then(() => store.update(user, change)),
    expire: (now, limit) => wait().then(() => store.expire(now, limit)),
    nextExpiry: () => wait().then(() => store.nextExpiry()),
    list: (range) => wait().then(() => store.list(range)),
  };
}
