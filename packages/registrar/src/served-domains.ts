import { canonicalHost, DomainNames, readSipUri, type Server, unescapeUser } from "@sipkit/core";

/** A REGISTER's request-URI that names the server by an address or alias: good for every domain. */
const ANY = "*";

/** The domains that a registrar keeps bindings for: its own list, else the dispatcher's. */
export class ServedDomains {
  readonly #server: Server;
  readonly #served: DomainNames;
  /** The domains of the server, when we have a list of our own. */
  readonly #others: DomainNames | undefined;
  /** Phones of one domain all send the same request-URI. */
  #last: { readonly uri: string; readonly domain: string | undefined } = {
    uri: "",
    domain: undefined,
  };

  constructor(server: Server, own: DomainNames | undefined) {
    this.#server = server;
    const all = new DomainNames(server.domains);
    this.#served = own ?? all;
    this.#others = own && all;
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
    if (this.#others === undefined) return canonical;
    const found = canonical ?? canonicalOf(uri);
    return found !== undefined && this.#served.has(hostOf(found)) ? found : undefined;
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
    const host = canonicalHost(uri.host);
    if (this.#served.has(host)) return host;
    // Another domain of the server is another registrar's.
    if (this.#others?.has(host)) return undefined;
    return this.#server.isLocal(requestUri) ? ANY : undefined;
  }
}

/** The host of a canonical address-of-record: users may hold an `@`, hosts don't. */
function hostOf(addressOfRecord: string): string {
  return addressOfRecord.slice(addressOfRecord.lastIndexOf("@") + 1);
}

function canonicalOf(text: string): string | undefined {
  const uri = readSipUri(text);
  return uri?.user && `sip:${unescapeUser(uri.user)}@${canonicalHost(uri.host)}`;
}
