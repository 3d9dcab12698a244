import { Authorize } from "@sipkit/auth";
import type { Dispatcher } from "@sipkit/core";
import type { VirtualHost } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { type LocationStore, Registrar } from "@sipkit/registrar";
import type { PhonePlan, ServerPlan } from "./plan.ts";

/** The shortest registration that servers grant, in seconds. */
const MIN_EXPIRES = 5;

/** Starts a server: digest authentication, registrar, proxy. Its secret outlives it, so that its routes do. */
export function startServer(
  host: VirtualHost,
  { domain }: ServerPlan,
  phones: readonly PhonePlan[],
  store: LocationStore,
): Promise<Dispatcher> {
  const credentials = Object.fromEntries(
    phones.filter((phone) => phone.domain === domain).map(({ name, password }) => [name, password]),
  );
  return host.serve({
    domains: [domain],
    secret: `the secret of ${domain}`,
    receiver: [
      new Authorize({ realm: domain, credentials, allowCallsToUs: true, allowPings: true }),
      new Registrar({ store, minExpires: MIN_EXPIRES, maxExpires: 60 }),
      new Proxy(),
    ],
  });
}
