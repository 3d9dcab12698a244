import type { Protocol } from "../arrival.ts";
import { type Clock, systemClock } from "../clock.ts";
import { SipError } from "../errors.ts";
import { detach } from "../message/detach.ts";
import { parseSipUri } from "../message/uri.ts";
import { type Random, systemRandom } from "../random.ts";
import { canonicalAddress, isAddressLiteral } from "../transport/host-port.ts";
import { canonicalName, isInvalidName, isLocalhost, isName } from "./dns-name.ts";
import { type DnsQueries, nodeQueries } from "./dns-queries.ts";
import { type DnsQuestions, dnsQuestions } from "./dns-questions.ts";
import { Inquiry } from "./inquiry.ts";
import { locate, noAddress, type Search, toHops } from "./locate.ts";
import type { QuestionCounters } from "./questions.ts";
import type { NextHop, ResolveOptions, Resolver } from "./resolver.ts";
import { defaultProtocol, protocolAsked } from "./sip-services.ts";

/** Options of {@link dnsResolver}. */
export interface DnsResolverOptions {
  /** DNS servers, as in `127.0.0.1:5353` or `[::1]:5353`. Default: the machine's, as they are now. */
  readonly servers?: readonly string[];
  /**
   * How long a server has for its first answer, in milliseconds; twice that the second time. Below 250 it is 250, by
   * node:dns. Default: 1,500.
   */
  readonly timeout?: number;
  /** How often each server is asked. Default: 2. */
  readonly tries?: number;
  /**
   * How long NAPTR and SRV records are kept, and what the machine says by itself, in milliseconds; that there is nothing,
   * a sixth of it. Addresses are kept as long as DNS says, at least a second and at most a day. Default: 30,000.
   */
  readonly keepFor?: number;
  /** Names kept at once, of each kind of record. Default: 1,000. */
  readonly maxNames?: number;
  /** Names asked for at once, of each kind of record, and a fourth of it of the machine; more fail. Default: 256. */
  readonly maxPending?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Spreads load by the weights of SRV records. Default: the operating system's. */
  readonly random?: Random;
}

const ALL_PROTOCOLS: readonly Protocol[] = ["udp", "tcp", "tls", "ws", "wss"];
const ALL_FAMILIES: readonly (4 | 6)[] = [4, 6];
const LOOPBACK = { 4: "127.0.0.1", 6: "::1" } as const;

/**
 * Finds next hops by DNS: NAPTR records for the transport, SRV records for hosts and ports, A and AAAA records for
 * addresses.
 *
 * A name without a dot is never looked for in DNS: the machine says what it means (`getaddrinfo`: hosts file, search list,
 * container network). The machine is also asked for what has no address in DNS. A name that both know means what DNS
 * says. `localhost` is this machine, and names in `.invalid` are nobody's: for neither is anybody asked.
 *
 * @example
 * new Dispatcher({ legs, resolver: dnsResolver({ servers: ["192.0.2.53"] }) });
 *
 * RFC 3263 §4
 */
export function dnsResolver(options: DnsResolverOptions = {}): Resolver {
  const { servers, timeout = 1_500, tries = 2 } = options;
  checkOptions({ ...options, timeout, tries });
  return resolverBy(nodeQueries({ servers, timeout, tries }), options);
}

/** A {@link dnsResolver} that asks whom it is told to. */
export function resolverBy(queries: DnsQueries, options: DnsResolverOptions): Resolver {
  const { clock = systemClock, random = systemRandom() } = options;
  const { keepFor = 30_000, maxNames = 1_000, maxPending = 256 } = options;
  const counters: QuestionCounters = { dnsQueries: 0, dnsFailures: 0, dnsRefused: 0 };
  const limits = { keepFor, maxNames, maxPending };
  const dns = dnsQuestions(queries, { clock, limits, counters });
  return new DnsResolver({ dns, counters, random, close: () => queries.close?.() });
}

interface DnsResolverParts {
  readonly dns: DnsQuestions;
  readonly counters: QuestionCounters;
  readonly random: Random;
  readonly close: () => void;
}

class DnsResolver implements Resolver {
  readonly #dns: DnsQuestions;
  readonly #counters: QuestionCounters;
  readonly #random: Random;
  readonly #close: () => void;

  constructor({ dns, counters, random, close }: DnsResolverParts) {
    this.#dns = dns;
    this.#counters = counters;
    this.#random = random;
    this.#close = close;
  }

  resolve(
    text: string,
    { protocols = ALL_PROTOCOLS, families = ALL_FAMILIES }: ResolveOptions = {},
  ): readonly NextHop[] | Promise<readonly NextHop[]> {
    const uri = parseSipUri(text);
    const secure = uri.scheme === "sips";
    const protocol = protocolAsked(uri);
    const domain = isAddressLiteral(uri.host) ? undefined : detach(canonicalName(uri.host));
    // RFC 3263 §4: the target is the maddr parameter where there is one, else the host.
    const maddr = uri.params.get("maddr");
    const host = maddr === undefined ? (domain ?? uri.host) : canonicalName(maddr);
    const known = knownAddresses(host, families);
    if (known !== undefined) {
      const spoken = protocol ?? defaultProtocol(secure, protocols);
      return toHops({ domain }, spoken, known, uri.port);
    }
    if (isInvalidName(host)) throw noAddress(host, "nobody has a name in .invalid");
    if (!isName(host)) throw noAddress(host, "that is no name");
    const inquiry = new Inquiry();
    const dns = this.#dns;
    const random = this.#random;
    const { port } = uri;
    const search: Search = {
      ...{ host, port, protocol, secure, domain, protocols, families, dns, inquiry, random },
    };
    return locate(search) ?? locateLater(search);
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  close(): void {
    this.#close();
  }
}

/** The addresses of what nobody has to be asked for. */
function knownAddresses(host: string, families: readonly (4 | 6)[]): readonly string[] | undefined {
  if (isAddressLiteral(host)) return [canonicalAddress(host)];
  return isLocalhost(host) ? families.map((family) => LOOPBACK[family]) : undefined;
}

/** Every round asks what the one before has led to, and nothing that was asked before: so they come to an end. */
async function locateLater(search: Search): Promise<readonly NextHop[]> {
  for (;;) {
    await search.inquiry.answered();
    const hops = locate(search);
    if (hops !== undefined) return hops;
  }
}

function checkOptions(options: DnsResolverOptions): void {
  for (const name of ["timeout", "tries", "keepFor", "maxNames", "maxPending"] as const) {
    const value = options[name];
    if (value !== undefined && !(value > 0))
      throw new SipError("SIP_BAD_OPTION", `${name} must be a positive number`);
  }
}
