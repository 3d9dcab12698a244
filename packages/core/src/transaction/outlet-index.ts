import type { Peer } from "../arrival.ts";

/** Finds what sends to a peer, by its connection, else by protocol, address and port. */
export class OutletIndex<T extends object> {
  // One entry for a peer that has one: most have, and a set costs ten times as much.
  readonly #entries = new Map<number | string, T | Set<T>>();

  /** How many peers have an entry. */
  get size(): number {
    return this.#entries.size;
  }

  add(peer: Peer, entry: T): void {
    const key = keyOf(peer);
    const there = this.#entries.get(key);
    if (there === undefined) this.#entries.set(key, entry);
    else if (there instanceof Set) there.add(entry);
    else this.#entries.set(key, new Set([there, entry]));
  }

  delete(peer: Peer, entry: T): void {
    const key = keyOf(peer);
    const there = this.#entries.get(key);
    if (there === entry) this.#entries.delete(key);
    else if (there instanceof Set) {
      there.delete(entry);
      if (there.size === 0) this.#entries.delete(key);
    }
  }

  /** All that send to that peer: for a peer with a connection, those over that very connection. */
  of(peer: Peer): readonly T[] {
    return this.#list(keyOf(peer));
  }

  ofConnection(id: number): readonly T[] {
    return this.#list(id);
  }

  clear(): void {
    this.#entries.clear();
  }

  #list(key: number | string): readonly T[] {
    const there = this.#entries.get(key);
    if (there === undefined) return [];
    return there instanceof Set ? [...there] : [there];
  }
}

function keyOf(peer: Peer): number | string {
  return peer.connection?.id ?? `${peer.protocol}|${peer.address}|${peer.port}`;
}
