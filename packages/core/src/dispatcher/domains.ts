import type { Leg } from "../arrival.ts";
import { ParseError, SipError } from "../errors.ts";
import { parseUri, type SipUri, unescapeUser } from "../message/uri.ts";

interface Answer {
  readonly uri: string;
  readonly local: boolean;
  readonly addressOfRecord: string | undefined;
}

const NOBODY: Answer = { uri: "", local: false, addressOfRecord: undefined };

/** Which names are ours: the one answer to "is this me?" for authenticator, registrar and proxy. RFC 3261 §10.3, §16.4 */
export class Domains {
  /** The domains, lower-case. */
  readonly names: readonly string[];
  readonly #exact: ReadonlySet<string>;
  readonly #suffixes: readonly string[];
  readonly #aliases: ReadonlySet<string>;
  #addresses: ReadonlySet<string> = new Set();
  /** A packet's handlers ask about the same two URIs, those of its start line and its To, one after the other. */
  #last: Answer = NOBODY;
  #previous: Answer = NOBODY;

  /** A domain is a host name or `*.example.com`, which stands for every name below it. */
  constructor(domains: readonly string[], aliases: readonly string[]) {
    this.names = domains.map(normaliseName);
    this.#exact = new Set(this.names.filter((name) => !name.startsWith("*.")));
    this.#suffixes = this.names
      .filter((name) => name.startsWith("*."))
      .map((name) => name.slice(1));
    this.#aliases = new Set(aliases.map(normaliseName));
  }

  /** Our own addresses, known once the legs listen. */
  set legs(legs: readonly Leg[]) {
    const own = legs.flatMap((leg) => [hostPort(leg.address, leg.port), leg.sentBy.toLowerCase()]);
    this.#addresses = new Set(own.map(withoutDefaultPort));
    this.#last = NOBODY;
    this.#previous = NOBODY;
  }

  isLocal(uri: string): boolean {
    return this.#answer(uri).local;
  }

  addressOfRecord(uri: string): string | undefined {
    return this.#answer(uri).addressOfRecord;
  }

  #answer(uri: string): Answer {
    if (uri === this.#last.uri) return this.#last;
    const answer = uri === this.#previous.uri ? this.#previous : this.#find(uri);
    this.#previous = this.#last;
    this.#last = answer;
    return answer;
  }

  #find(text: string): Answer {
    const uri = sipUri(text);
    const domain = uri && this.#domainOf(uri);
    if (uri === undefined || domain === undefined) {
      return { uri: text, local: false, addressOfRecord: undefined };
    }
    const user = uri.user === undefined ? undefined : unescapeUser(uri.user);
    return { uri: text, local: true, addressOfRecord: user && `sip:${user}@${domain}` };
  }

  /**
   * The domain that a URI's host stands for. An alias, and an address of ours, stand for the first domain, so that a
   * phone which knows only the server's address registers the same user.
   */
  #domainOf(uri: SipUri): string | undefined {
    const host = withoutFinalDot(uri.host.toLowerCase());
    if (this.#exact.has(host) || this.#suffixes.some((suffix) => host.endsWith(suffix)))
      return host;
    const own =
      this.#aliases.has(host) || this.#addresses.has(withoutDefaultPort(hostPort(host, uri.port)));
    return own ? (this.names.find((name) => !name.startsWith("*.")) ?? host) : undefined;
  }
}

function sipUri(text: string): SipUri | undefined {
  try {
    const uri = parseUri(text);
    return uri.scheme === "sip" || uri.scheme === "sips" ? (uri as SipUri) : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function hostPort(host: string, port: number | undefined): string {
  const bracketed = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return port === undefined ? bracketed : `${bracketed}:${port}`;
}

function withoutDefaultPort(sentBy: string): string {
  return sentBy.endsWith(":5060") || sentBy.endsWith(":5061") ? sentBy.slice(0, -5) : sentBy;
}

function withoutFinalDot(host: string): string {
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

function normaliseName(name: string): string {
  const lower = withoutFinalDot(name.toLowerCase());
  if (!/^(?:(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])$/.test(lower)) {
    throw new SipError("SIP_BAD_DOMAIN", `not a domain: ${JSON.stringify(name)}`);
  }
  return lower;
}
