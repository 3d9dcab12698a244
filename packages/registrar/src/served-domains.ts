import {
  ParseError,
  parseUri,
  type Server,
  SipError,
  type SipUri,
  unescapeUser,
} from "@sipkit/core";

/** A REGISTER's request-URI that names the server by an address or alias: good for every domain. */
const ANY = "*";

/**
 * The domains that a registrar keeps bindings for: its own list, else the dispatcher's. A name stands for itself,
 * `*.example.com` for every name below it and not for `example.com`.
 */
export class ServedDomains {
  readonly #server: Server;
  readonly #served: Names;
  /** The domains of the server, when we have a list of our own. */
  readonly #others: Names | undefined;
  /** Phones of one domain all send the same request-URI. */
  #last: { readonly uri: string; readonly domain: string | undefined } = {
    uri: "",
    domain: undefined,
  };

  constructor(server: Server, own: readonly string[] | undefined) {
    this.#server = server;
    this.#served = new Names(own ?? server.domains);
    this.#others = own && new Names(server.domains);
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
    const uri = sipUriOf(requestUri);
    if (uri === undefined) return undefined;
    const host = normalised(uri.host);
    if (this.#served.has(host)) return host;
    // Another domain of the server is another registrar's.
    if (this.#others?.has(host)) return undefined;
    return this.#server.isLocal(requestUri) ? ANY : undefined;
  }
}

/** Names as `domains` lists them. */
class Names {
  readonly #exact: ReadonlySet<string>;
  readonly #suffixes: readonly string[];

  constructor(names: readonly string[]) {
    this.#exact = new Set(names.filter((name) => !name.startsWith("*.")));
    this.#suffixes = names.filter((name) => name.startsWith("*.")).map((name) => name.slice(1));
  }

  has(host: string): boolean {
    return this.#exact.has(host) || this.#suffixes.some((suffix) => host.endsWith(suffix));
  }
}

/** Checks and normalises a `domains` option. */
export function readDomains(
  domains: string | readonly string[] | undefined,
): readonly string[] | undefined {
  if (domains === undefined) return undefined;
  const names = typeof domains === "string" ? [domains] : domains;
  return names.map((name) => {
    const lower = normalised(name);
    if (lower === "" || /[\s/@;,<>"]/.test(lower)) {
      throw new SipError("SIP_BAD_DOMAIN", `not a domain: ${JSON.stringify(name)}`);
    }
    return lower;
  });
}

/** The host of a canonical address-of-record: users may hold an `@`, hosts don't. */
function hostOf(addressOfRecord: string): string {
  return addressOfRecord.slice(addressOfRecord.lastIndexOf("@") + 1);
}

function canonicalOf(text: string): string | undefined {
  const uri = sipUriOf(text);
  return uri?.user ? `sip:${unescapeUser(uri.user)}@${normalised(uri.host)}` : undefined;
}

function sipUriOf(text: string): SipUri | undefined {
  try {
    const uri = parseUri(text);
    return uri.scheme === "sip" || uri.scheme === "sips" ? (uri as SipUri) : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function normalised(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}
