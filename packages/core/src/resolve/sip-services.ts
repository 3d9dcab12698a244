import type { NaptrRecord } from "node:dns";
import type { Protocol } from "../arrival.ts";
import { TransportError } from "../errors.ts";
import type { SipUri } from "../message/uri.ts";
import { isProtocol } from "../transport/leg-address.ts";
import { canonicalName, isName } from "./dns-name.ts";

/** A service that a domain says it has: the name whose SRV records tell where, and what is spoken there. */
export interface Service {
  readonly protocol: Protocol;
  readonly name: string;
  readonly order: number;
  readonly preference: number;
}

/** Services of one domain that are used. */
const MAX_SERVICES = 16;

/** RFC 3263 §4.1, RFC 7118 §10.2 */
const naptrServices: ReadonlyMap<string, Protocol> = new Map([
  ["SIP+D2U", "udp"],
  ["SIP+D2T", "tcp"],
  ["SIPS+D2T", "tls"],
  ["SIP+D2W", "ws"],
  ["SIPS+D2W", "wss"],
]);

const srvPrefixes: Readonly<Record<Protocol, string>> = {
  udp: "_sip._udp.",
  tcp: "_sip._tcp.",
  tls: "_sips._tcp.",
  ws: "_sip._ws.",
  wss: "_sips._ws.",
};

/** Whether a protocol is one that a `sips:` URI may lead to. RFC 3261 §26.2.2 */
function isSecure(protocol: Protocol): boolean {
  return protocol === "tls" || protocol === "wss";
}

/** The protocol that a URI asks for by itself; `undefined` where it doesn't. RFC 3263 §4.1 */
export function protocolAsked(uri: SipUri): Protocol | undefined {
  const wanted = uri.params.get("transport")?.toLowerCase();
  if (wanted === undefined) return undefined;
  if (!isProtocol(wanted)) throw new TransportError("the URI's transport is none that is known");
  if (uri.scheme === "sip") return wanted;
  // A sips: URI asks for TLS on every hop, whatever runs under it. RFC 3261 §26.2.2
  if (wanted === "udp") throw new TransportError("a sips: URI can't be reached over UDP");
  return wanted === "ws" || wanted === "wss" ? "wss" : "tls";
}

/**
 * The protocol where neither the URI nor DNS says one: TLS for `sips:`, UDP for `sip:`; TCP where we have no UDP, since
 * every element speaks both.
 *
 * RFC 3263 §4.1, RFC 3261 §18
 */
export function defaultProtocol(secure: boolean, protocols: readonly Protocol[]): Protocol {
  if (secure) return "tls";
  return !protocols.includes("udp") && protocols.includes("tcp") ? "tcp" : "udp";
}

/** The name of a domain's SRV records for a protocol. RFC 3263 §4.2 */
export function srvName(protocol: Protocol, domain: string): string {
  return srvPrefixes[protocol] + domain;
}

/** What of a domain's NAPTR records is about SIP and fit to be followed, the first to be used first. RFC 3403 §4.1 */
export function readNaptr(records: readonly NaptrRecord[]): readonly Service[] {
  const services: Service[] = [];
  for (const { service, flags, regexp, replacement, order, preference } of records) {
    const protocol = naptrServices.get(service.toUpperCase());
    const name = canonicalName(replacement);
    // RFC 3263 §4.1: the regular expression is empty, and the replacement names SRV records.
    if (protocol === undefined || regexp !== "" || flags.toLowerCase() !== "s") continue;
    if (isName(name)) services.push({ protocol, name, order, preference });
  }
  services.sort((a, b) => a.order - b.order || a.preference - b.preference);
  return services.slice(0, MAX_SERVICES);
}

/** Those of a domain's services that a request can use, the first to be tried first. RFC 3263 §4.1, RFC 3403 §4.1 */
export function chooseServices(
  services: readonly Service[],
  secure: boolean,
  protocols: readonly Protocol[],
): readonly Service[] {
  // A sips: URI leaves only services of SIPS; a sip: URI leaves those too, where we speak TLS.
  const usable = services.filter(
    ({ protocol }) => protocols.includes(protocol) && (!secure || isSecure(protocol)),
  );
  // Once one is found, those of a higher order are not considered: so nobody who breaks a domain's TLS gets what was
  // meant for it over UDP.
  return usable.filter(({ order }) => order === usable[0]?.order);
}

/**
 * The protocols whose SRV records are asked for where a domain says nothing of its services. WebSocket is never guessed:
 * servers that offer it to others than browsers say so.
 *
 * RFC 3263 §4.1
 */
export function guessProtocols(
  secure: boolean,
  protocols: readonly Protocol[],
): readonly Protocol[] {
  return protocols.filter((protocol) =>
    secure ? protocol === "tls" : protocol === "udp" || protocol === "tcp",
  );
}
