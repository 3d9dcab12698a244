import { canonicalHost, DomainNames, readSipUri, type Server, unescapeUser } from "@sipkit/core";

/** A REGISTER's request-URI that names the server by an address or alias: good for every domain. */
const ANY = "*";

/** By what names a registrar's users go. */
export interface Names {
  /** `undefined`: the dispatcher's. */
  readonly domains: DomainNames | undefined;
  /** From another name of a domain to the domain. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly ignoresUserCase: boolean;
}

/** The domains that a registrar keeps bindings for: its own list, else the dispatcher's. */
export class ServedDomains {
  readonly #server: Server;
  readonly #served: DomainNames;
  /** The domains of the server, when we have a list of our own. */
  readonly #others: DomainNames | undefined;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #ignoresUserCase: boolean;
  /** Phones of one domain all send the same request-URI. */
  #last: { readonly uri: string; readonly domain: string | undefined } = {
    uri: "",
    domain: undefined,
  };

  constructor(server: Server, { domains, aliases, ignoresUserCase }: Names) {
    this.#server = server;
    const all = new DomainNames(server.domains);
    this.#served = domains ?? all;
    this.#others = domains && all;
    this.#aliases = aliases;
    this.#ignoresUserCase = ignoresUserCase;
  }

  /** Whether a REGISTER with this request-URI is for us. RFC 3261 §10.3 step 1 */
  covers(requestUri: string): boolean {
    return this.#domainOf(requestUri) !== undefined;
  }

  /**
   * The canonical address-of-record of a user of ours, else `undefined`. Of a URI without a user too.
   *
   * RFC 3261 §10.3 step 5
   */
  addressOfRecord(uri: string): string | undefined {
    const canonical = this.#server.addressOfRecord(uri);
    const isPlain = this.#aliases.size === 0 && !this.#ignoresUserCase;
    if (this.#others === undefined && isPlain) return canonical;
    const found = canonical ?? canonicalOf(uri);
    if (found === undefined) return undefined;
    const host = this.#domain(hostOf(found));
    if (!this.#served.has(host)) return undefined;
    if (isPlain) return found;
    const user = found.slice("sip:".length, found.lastIndexOf("@"));
    return `sip:${this.#ignoresUserCase ? user.toLowerCase() : user}@${host}`;
  }

  /** Whether an address-of-record belongs to the domain that a REGISTER's request-URI names. RFC 3261 §10.3 step 5 */
  belongs(addressOfRecord: string, requestUri: string): boolean {
    const domain = this.#domainOf(requestUri);
    return domain === ANY || domain === hostOf(addressOfRecord);
  }

  /** Whether a user who isn't ours may be another registrar's, though the request-URI names this server. */
  leavesOthers(requestUri: string): boolean {
    return this.#others !== undefined && this.#domainOf(requestUri) === ANY;
  }

  #domainOf(requestUri: string): string | undefined {
    if (requestUri !== this.#last.uri) {
      this.#last = { uri: requestUri, domain: this.#findDomain(requestUri) };
    }
    return this.#last.domain;
  }

  #findDomain(requestUri: string): string | undefined {
    const uri = readSipUri(requestUri);
    if (uri === undefined) return undefined;
    const host = this.#domain(canonicalHost(uri.host));
    if (this.#served.has(host)) return host;
    // Another domain of the server is another registrar's.
    if (this.#others?.has(host)) return undefined;
    return this.#server.isLocal(requestUri) ? ANY : undefined;
  }

  /** The domain that a host is another name of, else itself. */
  #domain(host: string): string {
    return this.#aliases.get(host) ?? host;
  }
}

/** The host of a canonical address-of-record: users may hold an `@`, hosts don't. */
export function hostOf(addressOfRecord: string): string {
  return addressOfRecord.slice(addressOfRecord.lastIndexOf("@") + 1);
}

function canonicalOf(text: string): string | undefined {
  const uri = readSipUri(text);
  return uri?.user && `sip:${unescapeUser(uri.user)}@${canonicalHost(uri.host)}`;
}
