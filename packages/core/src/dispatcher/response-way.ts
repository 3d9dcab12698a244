import { isIP } from "node:net";
import type { Peer } from "../arrival.ts";
import type { Via } from "../message/header/via.ts";
import type { Request } from "../message/request.ts";
import { defaultPorts, isProtocol } from "../transport/leg-address.ts";

/**
 * Where the response to a request goes: over its connection, else to the source address, with the source port where
 * the client asked for that by rport, else the port of its sent-by.
 *
 * `topmostVia` has `received` and `rport` from us by then, so that only the source counts.
 *
 * Deviation: a `maddr` parameter isn't honoured. It is for answers to multicast, and would let anybody send our answers
 * to a third party.
 *
 * RFC 3261 §18.2.2, RFC 3581 §4
 */
export function responsePeer(request: Request, from: Peer): Peer {
  if (from.connection?.open) return from;
  // RFC 7118 §5.3: nobody listens where a WebSocket client was; without its connection the response fails.
  if (from.protocol === "ws" || from.protocol === "wss") return from;
  const via = request.topmostVia;
  if (via === undefined) return from;
  const { protocol, address } = from;
  const port = via.rport === undefined ? (via.port ?? defaultPorts[protocol]) : from.port;
  return protocol === "udp" && port === from.port ? from : { protocol, address, port };
}

/** Where a response goes by its topmost Via alone, when its request left no state here. RFC 3261 §18.2.2 */
export function viaPeer(via: Via): Peer | undefined {
  const protocol = via.transport.toLowerCase();
  if (!isProtocol(protocol)) return undefined;
  const address = via.received ?? via.host.replace(/^\[|\]$/g, "");
  if (isIP(address) === 0) return undefined;
  const port = typeof via.rport === "number" ? via.rport : (via.port ?? defaultPorts[protocol]);
  return { protocol, address, port };
}
