import type { Protocol } from "../arrival.ts";
import { TransportError } from "../errors.ts";
import type { Random } from "../random.ts";
import { addressFamily } from "../transport/host-port.ts";
import { defaultPorts } from "../transport/leg-address.ts";
import { isShortName } from "./dns-name.ts";
import type { DnsQuestions } from "./dns-questions.ts";
import type { Inquiry } from "./inquiry.ts";
import type { NextHop } from "./resolver.ts";
import { chooseServices, defaultProtocol, guessProtocols, srvName } from "./sip-services.ts";
import { drawOrder, type Place } from "./srv-records.ts";

/** Who is looked for, and who may be asked. */
export interface Search {
  /** RFC 3263's TARGET, a canonical name: the maddr parameter where there is one, else the host. */
  readonly host: string;
  readonly port: number | undefined;
  /** What the URI asks for. */
  readonly protocol: Protocol | undefined;
  readonly secure: boolean;
  /** The host of the URI, where that is a name. */
  readonly domain: string | undefined;
  readonly protocols: readonly Protocol[];
  readonly families: readonly (4 | 6)[];
  readonly dns: DnsQuestions;
  readonly inquiry: Inquiry;
  readonly random: Random;
}

/** A service to look for: the name of its SRV records. */
interface Wanted {
  readonly protocol: Protocol;
  readonly name: string;
}

/** Places of one protocol, the most preferred first. */
interface Group {
  readonly protocol: Protocol;
  readonly places: readonly Place[];
}

/** Hosts whose addresses are asked for, for one request: SRV records may name any. */
const MAX_TARGETS = 16;
/** Next hops of one request. */
const MAX_HOPS = 64;

/**
 * The next hops of a name; `undefined` while something is being asked: then it is called again. Throws a `TransportError`
 * (`SIP_NO_ADDRESS`) when there are none.
 *
 * A question that nobody could answer counts as answered with nothing, and the search goes on: routers are common that
 * drop what they don't know, NAPTR and SRV among it, and who sends to an address that is the wrong one meets an error
 * soon enough.
 *
 * RFC 3263 §4.1, §4.2
 */
export function locate(search: Search): readonly NextHop[] | undefined {
  const { host, port, protocol, secure, protocols } = search;
  const byDefault = protocol ?? defaultProtocol(secure, protocols);
  // §4.2: a port rules out SRV records, even 5060.
  // Deviation: so does a name without a dot. It is completed by the machine's search list, which DNS servers don't know.
  if (port !== undefined || isShortName(host)) return hostHops(search, byDefault);
  const services = findServices(search);
  // Who has left one question unanswered may leave the next: what is left is asked at once, so that a dead server is
  // waited for twice and not three times.
  if (search.inquiry.failure !== undefined) dnsAddresses(search, host);
  if (services === undefined) return undefined;
  const groups = complete(services.map((service) => findPlaces(search, service)));
  if (groups === undefined) return undefined;
  if (groups.some(({ places }) => places.length > 0)) return placeHops(search, bounded(groups));
  const isDefault = services.some((service) => service.protocol === byDefault);
  return hostHops(search, isDefault ? byDefault : (services[0]?.protocol ?? byDefault));
}

/** The services to look for, §4.1: what was asked for, else what the domain offers, else what we can speak. */
function findServices(search: Search): readonly Wanted[] | undefined {
  const { host, protocol, secure, protocols, dns, inquiry } = search;
  if (protocol !== undefined) return [{ protocol, name: srvName(protocol, host) }];
  const offered = inquiry.records(dns.naptr, host);
  if (offered === undefined) return undefined;
  const chosen = chooseServices(offered, secure, protocols);
  if (chosen.length > 0) return chosen;
  return guessProtocols(secure, protocols).map((guess) => ({
    protocol: guess,
    name: srvName(guess, host),
  }));
}

function findPlaces({ dns, inquiry }: Search, { protocol, name }: Wanted): Group | undefined {
  const places = inquiry.records(dns.srv, name);
  return places && { protocol, places };
}

/** All of them, once none is missing. */
function complete<T extends object>(items: readonly (T | undefined)[]): readonly T[] | undefined {
  const present = items.filter((item) => item !== undefined);
  return present.length === items.length ? present : undefined;
}

/** The groups with as many places as are used, and those that say "no such service" left out. */
function bounded(groups: readonly Group[]): readonly Group[] {
  let room = MAX_TARGETS;
  return groups.map(({ protocol, places }) => {
    const used = places.filter(({ target }) => target !== "").slice(0, room);
    room -= used.length;
    return { protocol, places: used };
  });
}

/** The hops of a host itself, §4.2. */
function hostHops(search: Search, protocol: Protocol): readonly NextHop[] | undefined {
  const addresses = hostAddresses(search);
  if (addresses === undefined) return undefined;
  if (addresses.length === 0) throw nowhere(search, "there is no such name");
  return toHops(search, protocol, addresses, search.port);
}

/** The hops of what SRV records name, in an order drawn for this request. */
function placeHops(search: Search, groups: readonly Group[]): readonly NextHop[] | undefined {
  const addresses = new Map<string, readonly string[] | undefined>();
  for (const { places } of groups) {
    for (const { target } of places) {
      // Who is named by DNS is looked for there alone: no stranger gets at what names mean within this machine.
      if (!addresses.has(target)) addresses.set(target, dnsAddresses(search, target));
    }
  }
  if (addresses.size === 0) throw nowhere(search, "the domain says that it has no such service");
  if (complete([...addresses.values()]) === undefined) return undefined;
  const hops = new Map<string, NextHop>();
  for (const { protocol, places } of groups) {
    for (const { target, port } of drawOrder(places, search.random)) {
      for (const hop of toHops(search, protocol, addresses.get(target) ?? [], port)) {
        hops.set(`${protocol} ${port} ${hop.address}`, hop);
      }
    }
  }
  if (hops.size === 0) throw nowhere(search, "the hosts of its SRV records have none");
  return [...hops.values()].slice(0, MAX_HOPS);
}

/**
 * The addresses of the name that the URI has: from DNS, which tells how long they hold; where DNS knows none, what the
 * machine says (hosts file, search list, container network). A name without a dot is the machine's affair alone.
 */
function hostAddresses(search: Search): readonly string[] | undefined {
  const { host, families, dns, inquiry } = search;
  if (!isShortName(host)) {
    const found = dnsAddresses(search, host);
    if (found === undefined || found.length > 0) return found;
  }
  const known = inquiry.records(dns.lookup, host);
  return known?.filter((address) => families.some((family) => family === addressFamily(address)));
}

/** The addresses that DNS has for a name, of each family that we have, the preferred first. */
function dnsAddresses(
  { families, dns, inquiry }: Search,
  name: string,
): readonly string[] | undefined {
  const found = families.map((family) => inquiry.records(family === 4 ? dns.a : dns.aaaa, name));
  return complete(found)?.flat();
}

/**
 * Addresses as next hops; the port is the protocol's own where none is given. What the other side has to prove is the
 * domain of the URI, wherever DNS has led (RFC 5922 §7.3).
 */
export function toHops(
  { domain }: { readonly domain: string | undefined },
  protocol: Protocol,
  addresses: readonly string[],
  port: number = defaultPorts[protocol],
): readonly NextHop[] {
  return addresses.map((address) =>
    domain === undefined ? { protocol, address, port } : { protocol, address, port, domain },
  );
}

function nowhere({ host, inquiry }: Search, why: string): TransportError {
  const { failure } = inquiry;
  return failure === undefined
    ? noAddress(host, why)
    : noAddress(host, "the look-up failed", failure);
}

/** The error that there is nowhere to send to. */
export function noAddress(host: string, why: string, cause?: unknown): TransportError {
  return new TransportError(`no address for ${host}: ${why}`, { cause, code: "SIP_NO_ADDRESS" });
}
