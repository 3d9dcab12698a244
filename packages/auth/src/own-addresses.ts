import { DomainNames, type Server } from "@sipkit/core";

type Names = Pick<Server, "addressOfRecord">;

/** Which addresses-of-record the users of a realm speak for: their own name at the realm's domains. */
export class OwnAddresses {
  readonly #server: Names;
  /** `undefined`: every domain of the server. */
  readonly #domains: DomainNames | undefined;
  readonly #home: string;

  /**
   * `domains` left out: the realm, where that is a domain of the server's, else every domain of the server.
   */
  constructor(server: Names & Pick<Server, "domains">, realm: string, domains?: DomainNames) {
    this.#server = server;
    this.#domains = domains ?? domainOf(server, realm);
    this.#home = (this.#domains ?? new DomainNames(server.domains)).first ?? realm;
  }

  /** The address-of-record that a user has first of all. */
  of(user: string): string {
    return `sip:${user}@${this.#home}`;
  }

  /** Whether a URI is of a domain of the realm's. */
  isOurs(uri: string): boolean {
    const address = this.#server.addressOfRecord(uri);
    return address !== undefined && this.#isHome(address);
  }

  /** Whether a URI stands for the user at a domain of the realm's. */
  isOwn(uri: string, user: string): boolean {
    const address = this.#server.addressOfRecord(uri);
    if (address === undefined || !this.#isHome(address)) return false;
    return address.slice("sip:".length, address.lastIndexOf("@")) === user;
  }

  #isHome(address: string): boolean {
    return this.#domains?.has(address.slice(address.lastIndexOf("@") + 1)) ?? true;
  }
}

function domainOf(server: Names, realm: string): DomainNames | undefined {
  const address = server.addressOfRecord(`sip:user@${realm}`);
  if (address === undefined) return undefined;
  return new DomainNames([address.slice(address.lastIndexOf("@") + 1)]);
}
