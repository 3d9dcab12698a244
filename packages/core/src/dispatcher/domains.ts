import type { Leg } from "../arrival.ts";
import { readSipUri } from "../chain/read-sip-uri.ts";
import { detach } from "../message/detach.ts";
import { type SipUri, unescapeUser } from "../message/uri.ts";
import { formatHostPort } from "../transport/host-port.ts";
import { canonicalHost, DomainNames } from "./domain-names.ts";

interface Answer {
  readonly uri: string;
  readonly local: boolean;
  readonly addressOfRecord: string | undefined;
}

const MAX_WITHOUT_USER = 256;
const LONGEST_KEPT = 256;

const NOBODY: Answer = { uri: "", local: false, addressOfRecord: undefined };

/** Which names are ours: the one answer to "is this me?" for authenticator, registrar and proxy. RFC 3261 §10.3, §16.4 */
export class Domains {
  readonly #domains: DomainNames;
  readonly #aliases: DomainNames;
  #addresses: ReadonlySet<string> = new Set();
  /** A packet's handlers ask about the same user's URIs one after the other. */
  #last: Answer = NOBODY;
  #previous: Answer = NOBODY;
  /** Those without a user are few, and stand in every packet. */
  readonly #withoutUser = new Map<string, Answer>();

  /** Throws `SIP_BAD_DOMAIN`, as {@link DomainNames} does. */
  constructor(domains: readonly string[], aliases: readonly string[]) {
    this.#domains = new DomainNames(domains);
    this.#aliases = new DomainNames(aliases);
  }

  /** The domains, lower-case. */
  get names(): readonly string[] {
    return this.#domains.names;
  }

  /** Our own addresses, known once the legs listen. */
  set legs(legs: readonly Leg[]) {
    const own = legs.flatMap((leg) => [
      formatHostPort(leg.address, leg.port),
      leg.sentBy.toLowerCase(),
    ]);
    this.#addresses = new Set(own.map(withoutDefaultPort));
    this.#last = NOBODY;
    this.#previous = NOBODY;
    this.#withoutUser.clear();
  }

  isLocal(uri: string): boolean {
    return this.#answer(uri).local;
  }

  addressOfRecord(uri: string): string | undefined {
    return this.#answer(uri).addressOfRecord;
  }

  #answer(uri: string): Answer {
    if (!uri.includes("@")) return this.#answerWithoutUser(uri);
    if (uri === this.#last.uri) return this.#last;
    const answer = uri === this.#previous.uri ? this.#previous : this.#find(uri);
    this.#previous = this.#last;
    this.#last = answer;
    return answer;
  }

  #answerWithoutUser(uri: string): Answer {
    const known = this.#withoutUser.get(uri);
    if (known !== undefined) return known;
    const answer = this.#find(detach(uri));
    // Strangers can write as many as they like: what is worth keeping comes back at once.
    if (this.#withoutUser.size >= MAX_WITHOUT_USER) this.#withoutUser.clear();
    if (uri.length <= LONGEST_KEPT) this.#withoutUser.set(answer.uri, answer);
    return answer;
  }

  #find(text: string): Answer {
    const uri = readSipUri(text);
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
    const host = canonicalHost(uri.host);
    if (this.#domains.has(host)) return host;
    const isOwn =
      this.#aliases.has(host) ||
      this.#addresses.has(withoutDefaultPort(formatHostPort(host, uri.port)));
    return isOwn ? (this.#domains.first ?? host) : undefined;
  }
}

function withoutDefaultPort(sentBy: string): string {
  return sentBy.endsWith(":5060") || sentBy.endsWith(":5061") ? sentBy.slice(0, -5) : sentBy;
}
