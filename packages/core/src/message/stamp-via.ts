import type { Peer } from "../arrival.ts";
import { stampedVia, type Via, via } from "./header/via.ts";
import type { HeaderLine } from "./header-line.ts";
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
  if (line === undefined) return;
  const top = line.eightBit ? via.parse(line.wireValues()[0] ?? "") : line.read(via);
  if (top === undefined) return;
  const same = isSameHost(top.host, peer.address);
  if (same && top.rport === undefined && top.received === undefined) return;
  headers.replace(line, stamped(line, top, peer, same));
}

function stamped(line: HeaderLine, top: Via, peer: Peer, same: boolean): HeaderLine {
  const received = top.rport !== undefined || !same ? peer.address : undefined;
  const rport = top.rport === undefined ? undefined : peer.port;
  const written = top.params.toString();
  const params = stampedParams(top, written, received, rport);
  // What comes before and after the parameters of the first value stays as it is.
  const value = line.wireValue;
  const at = written === "" ? (line.wireValues()[0] ?? "").length : value.indexOf(";");
  const fresh = line.withWireValue(
    `${value.slice(0, at)}${params}${value.slice(at + written.length)}`,
  );
  if (!line.eightBit) fresh.remember(via, stampedVia(top, params, received, rport));
  return fresh;
}

function stampedParams(
  top: Via,
  written: string,
  received: string | undefined,
  rport: number | undefined,
): string {
  const source = received === undefined ? "" : `;received=${received}`;
  if (top.received === undefined) {
    if (rport === undefined) return `${written}${source}`;
    // As nearly all ask for it.
    const after = written.indexOf(";rport") + ";rport".length;
    const asked = top.rport === true && after >= ";rport".length && !written.includes('"');
    if (asked && (after === written.length || written.startsWith(";", after))) {
      return `${written.slice(0, after)}=${rport}${written.slice(after)}${source}`;
    }
  }
  const rest = top.params.without("received");
  return `${rport === undefined ? rest : rest.with("rport", String(rport))}${source}`;
}

/** Whether sent-by's host is that address; an IPv6 address is in brackets there. */
function isSameHost(host: string, address: string): boolean {
  if (host === address) return true;
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  return bare.toLowerCase() === address.toLowerCase();
}
