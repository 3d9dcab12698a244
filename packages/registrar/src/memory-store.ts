import { detach, SipError } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { BindingTable, NONE } from "./binding-table.ts";
import { ExpiryHeap } from "./expiry-heap.ts";
import type {
  BindingChange,
  ExpiredBinding,
  ListRange,
  LocationStore,
  StoreCounts,
  UserPage,
} from "./location-store.ts";
import { RecentTexts } from "./recent-texts.ts";
import { UserSlots } from "./user-slots.ts";

const NOTHING: readonly Binding[] = Object.freeze([]);

export interface MemoryStoreOptions {
  /** Addresses-of-record with bindings, at most; a further one is refused with `SIP_STORE_FULL`. Default: 2,000,000. */
  readonly capacity?: number;
  /** How many addresses-of-record without bindings are remembered as known, at most. Default: 100,000. */
  readonly remembered?: number;
}

/** A store in this process's memory: it answers at once, and is gone with the process. */
export interface MemoryStore extends LocationStore {
  /** Addresses-of-record that have bindings. */
  readonly users: number;
  readonly bindings: number;
  read(addressOfRecord: string): readonly Binding[] | undefined;
  update(addressOfRecord: string, change: BindingChange): readonly Binding[];
  expire(now: number, limit: number): readonly ExpiredBinding[];
  nextExpiry(): number | undefined;
  list(range: ListRange): UserPage;
  counts(): Required<StoreCounts>;
}

/**
 * Makes a store in memory, the registrar's default.
 *
 * @example
 * new Registrar({ store: memoryStore({ capacity: 50_000 }) });
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new Memory(options);
}

class Memory implements MemoryStore {
  readonly #capacity: number;
  /** The slot of each user who has bindings. */
  readonly #slotOf = new Map<string, number>();
  /** The row of each user's first binding; the others are linked to it. */
  readonly #slots = new UserSlots();
  /** Whose a row is. */
  readonly #owners: string[] = [];
  readonly #table = new BindingTable();
  /** Rows by the time that they end, or an earlier one: a refresh leaves it there. */
  readonly #heap = new ExpiryHeap(this.#table);
  /** Those who had bindings. */
  readonly #departed: RecentTexts;

  constructor({ capacity = 2_000_000, remembered = 100_000 }: MemoryStoreOptions) {
    this.#capacity = capacity;
    this.#departed = new RecentTexts(remembered);
  }

  get users(): number {
    return this.#slotOf.size;
  }

  get bindings(): number {
    return this.#table.size;
  }

  read(addressOfRecord: string): readonly Binding[] | undefined {
    const slot = this.#slotOf.get(addressOfRecord);
    if (slot !== undefined) return this.#rowsOf(slot).map((row) => this.#table.read(row));
    return this.#departed.has(addressOfRecord) ? NOTHING : undefined;
  }

  update(addressOfRecord: string, change: BindingChange): readonly Binding[] {
    const slot = this.#slotOf.get(addressOfRecord);
    const rows = slot === undefined ? [] : this.#rowsOf(slot);
    const before = rows.map((row) => this.#table.read(row));
    const after = change(before);
    if (after === before) return after;
    if (slot === undefined && after.length > 0 && this.#slotOf.size >= this.#capacity) {
      throw new SipError("SIP_STORE_FULL", `${this.#capacity} users have bindings already`);
    }
    this.#write(addressOfRecord, rows, before, after);
    return after;
  }

  expire(now: number, limit: number): readonly ExpiredBinding[] {
    const expired: ExpiredBinding[] = [];
    while (expired.length < limit) {
      const row = this.#due(now);
      if (row === undefined) break;
      const addressOfRecord = this.#owners[row] as string;
      expired.push({ addressOfRecord, binding: this.#table.read(row) });
      const rows = this.#rowsOf(this.#slotOf.get(addressOfRecord) as number);
      this.#link(
        addressOfRecord,
        rows.filter((each) => each !== row),
      );
      this.#delete(row);
    }
    return expired;
  }

  nextExpiry(): number | undefined {
    return this.#heap.topTime;
  }

  list({ after, limit }: ListRange): UserPage {
    if (after !== undefined && !/^[0-9]{1,15}$/.test(after)) {
      throw new SipError("SIP_BAD_CURSOR", "no page of this store ended there");
    }
    const { rows, next } = this.#slots.page(Number(after ?? 0), limit);
    const users = rows.map((row) => ({
      addressOfRecord: this.#owners[row] as string,
      bindings: this.#rowsFrom(row).map((each) => this.#table.read(each)),
    }));
    return next === undefined ? { users } : { users, next: String(next) };
  }

  counts(): Required<StoreCounts> {
    return { users: this.users, bindings: this.bindings };
  }

  /** The row that ends first, if that is due. */
  #due(now: number): number | undefined {
    for (;;) {
      const row = this.#heap.top;
      if (row === undefined || this.#heap.timeOf(row) > now) return undefined;
      const expiresAt = this.#table.expiresAt(row);
      if (expiresAt === this.#heap.timeOf(row)) return row;
      this.#heap.move(row, expiresAt);
    }
  }

  /** What was handed out as `before` and comes back stays; what has the URI of another takes its row. */
  #write(
    addressOfRecord: string,
    rows: readonly number[],
    before: readonly Binding[],
    after: readonly Binding[],
  ): void {
    if (this.#refresh(rows, before, after)) return;
    const left = new Set(before.keys());
    const kept = after.map((binding) => {
      const index = before.indexOf(binding);
      return left.delete(index) ? index : NONE;
    });
    // A key of our own: the one given may hold on to a message.
    const [first] = rows;
    const owner = first === undefined ? detach(addressOfRecord) : (this.#owners[first] as string);
    const written = after.map((binding, position) => {
      let index = kept[position] as number;
      if (index !== NONE) return rows[index] as number;
      index = before.findIndex((each, old) => left.has(old) && each.uri === binding.uri);
      if (!left.delete(index)) return this.#add(owner, binding);
      this.#replace(rows[index] as number, binding);
      return rows[index] as number;
    });
    this.#link(owner, written);
    for (const index of left) this.#delete(rows[index] as number);
  }

  /** The short way for what happens most: the same URIs in the same order. */
  #refresh(
    rows: readonly number[],
    before: readonly Binding[],
    after: readonly Binding[],
  ): boolean {
    if (rows.length !== after.length) return false;
    for (let index = 0; index < rows.length; index += 1) {
      if (before[index]?.uri !== after[index]?.uri) return false;
    }
    for (let index = 0; index < rows.length; index += 1) {
      const binding = after[index] as Binding;
      if (binding !== before[index]) this.#replace(rows[index] as number, binding);
    }
    return true;
  }

  #add(owner: string, binding: Binding): number {
    const row = this.#table.add(binding);
    this.#owners[row] = owner;
    this.#heap.add(row, binding.expiresAt);
    return row;
  }

  #replace(row: number, binding: Binding): void {
    const before = this.#table.expiresAt(row);
    this.#table.replace(row, binding);
    // Its time in the heap is `before` or less: a refresh needn't look there.
    if (binding.expiresAt < before && binding.expiresAt < this.#heap.timeOf(row)) {
      this.#heap.move(row, binding.expiresAt);
    }
  }

  #delete(row: number): void {
    this.#heap.remove(row);
    this.#table.delete(row);
    this.#owners[row] = "";
  }

  /** Makes these rows a user's, in their order. */
  #link(owner: string, rows: readonly number[]): void {
    for (const [index, row] of rows.entries()) this.#table.setNext(row, rows[index + 1] ?? NONE);
    const [first] = rows;
    const slot = this.#slotOf.get(owner);
    if (first !== undefined && slot !== undefined) {
      this.#slots.setRow(slot, first);
    } else if (first !== undefined) {
      this.#departed.delete(owner);
      this.#slotOf.set(owner, this.#slots.add(first));
    } else if (slot !== undefined) {
      this.#slots.remove(slot);
      this.#slotOf.delete(owner);
      this.#departed.add(owner);
    }
  }

  #rowsOf(slot: number): number[] {
    return this.#rowsFrom(this.#slots.row(slot));
  }

  #rowsFrom(first: number): number[] {
    const rows: number[] = [];
    for (let row = first; row !== NONE; row = this.#table.next(row)) rows.push(row);
    return rows;
  }
}
