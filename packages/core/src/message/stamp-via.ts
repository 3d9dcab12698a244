import type { Peer } from "../arrival.ts";
import { type Via, via } from "./header/via.ts";
import type { HeaderLine } from "./header-line.ts";
import { VIA } from "./header-names.ts";
import { headOf } from "./message.ts";
import { Params } from "./params.ts";
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
  if (line === undefined) return;
  const top = line.eightBit ? via.parse(line.wireValues()[0] ?? "") : line.read(via);
  if (top === undefined) return;
  const same = isSameHost(top.host, peer.address);
  if (same && top.rport === undefined && top.received === undefined) return;
  headers.replace(line, stamped(line, top, peer, same));
}

function stamped(line: HeaderLine, top: Via, peer: Peer, same: boolean): HeaderLine {
  const asked = top.rport !== undefined;
  const written = top.params.toString();
  const params = stampedParams(top, written, peer, same);
  // What comes before and after the parameters of the first value stays as it is.
  const value = line.wireValue;
  const at = written === "" ? (line.wireValues()[0] ?? "").length : value.indexOf(";");
  const fresh = line.withWireValue(
    `${value.slice(0, at)}${params}${value.slice(at + written.length)}`,
  );
  if (line.eightBit) return fresh;
  fresh.remember(via, {
    ...top,
    params: new Params(params),
    received: asked || !same ? peer.address : undefined,
    rport: asked ? peer.port : undefined,
  });
  return fresh;
}

const PLAIN_RPORT = /;rport(?=;|$)/i;

function stampedParams(top: Via, written: string, peer: Peer, same: boolean): string {
  const received = top.rport !== undefined || !same ? `;received=${peer.address}` : "";
  if (top.received === undefined && top.rport === undefined) return `${written}${received}`;
  if (top.received === undefined && top.rport === true && !written.includes('"')) {
    const filled = written.replace(PLAIN_RPORT, `;rport=${peer.port}`);
    if (filled !== written) return `${filled}${received}`;
  }
  const rest = top.params.without("received");
  const params = top.rport === undefined ? rest : rest.with("rport", String(peer.port));
  return `${params}${received}`;
}

/** Whether sent-by's host is that address; an IPv6 address is in brackets there. */
function isSameHost(host: string, address: string): boolean {
  if (host === address) return true;
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  return bare.toLowerCase() === address.toLowerCase();
}
