import type { Peer } from "../arrival.ts";
import type { StreamConnection } from "./connection.ts";
import { formatHostPort } from "./host-port.ts";

/**
 * The connections of one transport: found by number and by where they lead.
 *
 * A connection that was opened for a domain proved that domain by its certificate, or is about to; over the one that
 * another domain led to, at the same address and port, nothing is sent that is meant for this one. RFC 5922 §7.3
 */
export class ConnectionTable implements Iterable<StreamConnection> {
  readonly #secure: boolean;
  readonly #byId = new Map<number, StreamConnection>();
  /** Only those that can be sent to: one for an address and port, and one for each domain there. */
  readonly #byPlace = new Map<string, StreamConnection>();

  /** `secure`: its connections prove who the other side is. */
  constructor(secure: boolean) {
    this.#secure = secure;
  }

  /** How many there are, those included that are about to close. */
  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): IterableIterator<StreamConnection> {
    return this.#byId.values();
  }

  byId(id: number): StreamConnection | undefined {
    return this.#byId.get(id);
  }

  /** The connection that a peer is reached over. */
  to({ address, port, domain }: Peer): StreamConnection | undefined {
    const place = formatHostPort(address, port);
    const any = this.#byPlace.get(place);
    if (!this.#secure || domain === undefined) return any;
    if (any?.identities?.includes(domain)) return any;
    return this.#byPlace.get(withDomain(place, domain));
  }

  add(connection: StreamConnection): void {
    this.#byId.set(connection.id, connection);
    const [place = "", ofDomain] = this.#places(connection);
    if (ofDomain !== undefined) this.#byPlace.set(ofDomain, connection);
    // One that is being opened for a domain may fail; it takes nobody's place.
    if (ofDomain === undefined || !this.#byPlace.has(place)) this.#byPlace.set(place, connection);
  }

  /** It is not sent to any more, but still there. */
  end(connection: StreamConnection): void {
    for (const place of this.#places(connection)) {
      if (this.#byPlace.get(place) === connection) this.#byPlace.delete(place);
    }
  }

  remove(connection: StreamConnection): void {
    if (this.#byId.delete(connection.id)) this.end(connection);
  }

  #places({ peer: { address, port, domain } }: StreamConnection): readonly string[] {
    const place = formatHostPort(address, port);
    return this.#secure && domain !== undefined ? [place, withDomain(place, domain)] : [place];
  }
}

function withDomain(place: string, domain: string): string {
  return `${place} ${domain}`;
}
