import type { Peer } from "../arrival.ts";
import { via } from "./header/via.ts";
import { HeaderLine } from "./header-line.ts";
import { VIA } from "./header-names.ts";
import { headOf } from "./message.ts";
import type { Request } from "./request.ts";

/**
 * Notes on the topmost Via where a request came from: `received` when that isn't what sent-by says, or when `rport` is
 * asked for, and then `rport` with the source port. What the client put there itself is replaced.
 *
 * RFC 3261 §18.2.1, RFC 3581 §4
 */
export function stampVia(request: Request, peer: Peer): void {
  const { headers } = headOf(request);
  const line = headers.first(VIA);
  const top = line?.read(via);
  if (line === undefined || top === undefined) return;
  const asked = top.rport !== undefined;
  const same = bare(top.host) === peer.address.toLowerCase();
  if (same && !asked && top.received === undefined) return;
  let params = top.params.without("received");
  if (asked) params = params.with("rport", String(peer.port));
  if (asked || !same) params = params.with("received", peer.address);
  const [first = "", ...rest] = line.values();
  const kept = first.slice(0, first.length - top.params.toString().length);
  headers.replace(line, HeaderLine.of(line.name, [`${kept}${params}`, ...rest].join(", ")));
}

/** A host in lower case, an IPv6 address without its brackets. */
function bare(host: string): string {
  return (host.startsWith("[") ? host.slice(1, -1) : host).toLowerCase();
}
