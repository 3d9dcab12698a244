import type { Table } from "./tables.ts";

/** LMDB wants a value. */
const PRESENT = Buffer.of(1);
const NUMBER_BYTES = 8;

export interface IndexEntry {
  readonly number: number;
  readonly user: Buffer;
}

/** Users by a number that is not negative, a time or a count: the bytes of such numbers sort as they do. */
export class UserIndex {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  get size(): number {
    return (this.#table.getStats() as { readonly entryCount: number }).entryCount;
  }

  /** The entries with the least numbers. */
  first(limit: number): readonly IndexEntry[] {
    return [...this.#table.getKeys({ limit })].map(readKey);
  }

  last(): IndexEntry | undefined {
    return [...this.#table.getKeys({ limit: 1, reverse: true })].map(readKey)[0];
  }

  add(number: number, user: Buffer): void {
    this.#table.putSync(writeKey(number, user), PRESENT);
  }

  remove(number: number, user: Buffer): void {
    this.#table.removeSync(writeKey(number, user));
  }
}

function writeKey(number: number, user: Buffer): Buffer {
  const key = Buffer.allocUnsafe(NUMBER_BYTES + user.length);
  key.writeDoubleBE(number);
  user.copy(key, NUMBER_BYTES);
  return key;
}

function readKey(key: Uint8Array): IndexEntry {
  const bytes = Buffer.from(key);
  return { number: bytes.readDoubleBE(), user: bytes.subarray(NUMBER_BYTES) };
}
