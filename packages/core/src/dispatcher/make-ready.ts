import type { Peer } from "../arrival.ts";
import type { RequestOptions } from "../chain/server.ts";
import type { Request } from "../message/request.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import type { Way } from "./way.ts";

/** How a request is made ready. */
export interface ReadyOptions {
  /** Of our Via, without its magic cookie. */
  readonly branch: string;
  readonly prepare: RequestOptions["prepare"] | undefined;
}

/**
 * Makes a request ready for a way: its sender's and the handlers' hooks, then our Via. Gives the peer with the connection
 * that it goes over.
 *
 * RFC 3261 §8.1.1.7, §16.6 item 8
 */
export function makeReady(
  request: Request,
  { leg, peer }: Way,
  { branch, prepare }: ReadyOptions,
  host: ExchangeHost,
): Peer {
  const reached = leg.reach(peer);
  prepare?.(request, leg, reached);
  host.beforeSend(request, leg, reached);
  // RFC 3581 §3: rport asks that answers come back to the port that we send from.
  const rport = leg.reliable ? "" : ";rport";
  const protocol = leg.protocol.toUpperCase();
  request.headers.prepend(
    "Via",
    `SIP/2.0/${protocol} ${leg.sentBy}${rport};branch=z9hG4bK${branch}`,
  );
  return reached;
}
