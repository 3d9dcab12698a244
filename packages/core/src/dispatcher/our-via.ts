import type { Peer } from "../arrival.ts";
import type { Request } from "../message/request.ts";
import type { TransportLeg } from "../transport/leg.ts";
import type { ExchangeHost } from "./exchange-host.ts";

/** Makes a request ready for a leg: the handlers' hooks, then our Via. RFC 3261 §8.1.1.7, §16.6 item 8 */
export function putOurVia(
  request: Request,
  { leg, peer }: { readonly leg: TransportLeg; readonly peer: Peer },
  branch: string,
  host: ExchangeHost,
): void {
  host.beforeSend(request, leg, peer);
  // RFC 3581 §3: rport asks that answers come back to the port that we send from.
  const rport = leg.reliable ? "" : ";rport";
  const protocol = leg.protocol.toUpperCase();
  request.headers.prepend(
    "Via",
    `SIP/2.0/${protocol} ${leg.sentBy}${rport};branch=z9hG4bK${branch}`,
  );
}
