import { readSipUri } from "../chain/read-sip-uri.ts";
import { SipError } from "../errors.ts";
import { parseSipUri } from "../message/uri.ts";
import {
  canonicalAddress,
  formatHostPort,
  isAddressLiteral,
  parseHostPort,
} from "../transport/host-port.ts";
import { defaultPorts } from "../transport/leg-address.ts";
import { canonicalHost } from "./domain-names.ts";

/** Where requests go that nothing else tells the way. */
export interface OutgoingProxyOptions {
  /**
   * Where requests go that have no Route, no flow and no `to`, instead of where their request-URI leads, be that a name or
   * an address: a SIP URI, or `host[:port]`. The request itself stays as it is. A phone that registered itself is reached by
   * its flow as before; a contact without a flow, as of a device that somebody else registered, goes there too. Default:
   * nowhere else.
   *
   * RFC 3261 §8.1.2
   */
  readonly outgoingProxy?: string;
  /**
   * The same by the domain of the request-URI, before `outgoingProxy`: a host name or address (`example.com`), every name
   * below one (`*.example.com`, the longest first), or all (`*`), with one place or several to try in order.
   */
  readonly domainToProxy?: Readonly<Record<string, string | readonly string[]>>;
}

/** Finds the proxies of a request-URI. */
export class OutgoingProxies {
  readonly #byDomain = new Map<string, readonly string[]>();
  /** For everything else. */
  readonly #others: readonly string[] | undefined;
  readonly #hasWildcards: boolean;
  /** Those that are named by address, with their ports. */
  readonly #places: ReadonlySet<string>;

  /** Throws a `SipError` (`SIP_BAD_OPTION`). */
  constructor({ outgoingProxy, domainToProxy = {} }: OutgoingProxyOptions) {
    for (const [key, value] of Object.entries(domainToProxy)) {
      const places = typeof value === "string" ? [value] : value;
      if (places.length === 0) throw bad(`domainToProxy of "${key}" names no proxy`);
      const proxies = places.map((place) => asUri(place, `domainToProxy of "${key}"`));
      this.#byDomain.set(domainOf(key), proxies);
    }
    this.#others =
      this.#byDomain.get("*") ??
      (outgoingProxy === undefined ? undefined : [asUri(outgoingProxy, "outgoingProxy")]);
    this.#byDomain.delete("*");
    this.#places = new Set([...this.#byDomain.values(), this.#others ?? []].flat().map(placeOf));
    this.#hasWildcards = [...this.#byDomain.keys()].some((key) => key.startsWith("*."));
  }

  /** The URIs that tell where the request goes, instead of its own; `undefined`: none does. */
  find(requestUri: string): readonly string[] | undefined {
    if (this.#byDomain.size === 0) return this.#for(requestUri, this.#others);
    // A telephone number and the like have no domain.
    const host = canonicalHost(readSipUri(requestUri)?.host ?? "");
    return this.#for(requestUri, this.#byDomain.get(host) ?? this.#above(host) ?? this.#others);
  }

  /** Whether one of them is at that place: named by address, as its own Contacts and Routes name it. */
  isAt({ address, port }: { readonly address: string; readonly port: number }): boolean {
    return (
      this.#places.size > 0 && this.#places.has(formatHostPort(canonicalAddress(address), port))
    );
  }

  /** That of the longest name which the host is below of. */
  #above(host: string): readonly string[] | undefined {
    if (!this.#hasWildcards || isAddressLiteral(host)) return undefined;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const found = this.#byDomain.get(`*${host.slice(dot)}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** §26.2.2: a sips: URI asks for TLS on every hop, so on the way to a proxy, too. */
  #for(requestUri: string, proxies: readonly string[] | undefined): readonly string[] | undefined {
    if (proxies === undefined || !/^sips:/i.test(requestUri)) return proxies;
    return proxies.map((proxy) => proxy.replace(/^sip:/i, "sips:"));
  }
}

function domainOf(key: string): string {
  const host = canonicalHost(key);
  const name = host.startsWith("*.") ? host.slice(2) : host;
  const where = parseHostPort(name);
  if (host !== "*" && (where === undefined || where.port !== undefined)) {
    throw bad(`domainToProxy: "${key}" is no domain`);
  }
  return host;
}

function asUri(place: string, option: string): string {
  const uri = parseHostPort(place) === undefined ? place : `sip:${place}`;
  if (readSipUri(uri) === undefined) throw bad(`${option}: "${place}" is no SIP URI`);
  return uri;
}

/** Address and port of a proxy that is named by address; empty for a name. */
function placeOf(uri: string): string {
  const { scheme, host, port, params } = parseSipUri(uri);
  if (!isAddressLiteral(host)) return "";
  const isTls = scheme === "sips" || params.get("transport")?.toLowerCase() === "tls";
  return formatHostPort(canonicalAddress(host), port ?? defaultPorts[isTls ? "tls" : "udp"]);
}

function bad(message: string): SipError {
  return new SipError("SIP_BAD_OPTION", message);
}
