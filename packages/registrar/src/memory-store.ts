import { detach, SipError } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { ExpiryHeap } from "./expiry-heap.ts";
import type { BindingChange, ExpiredBinding, LocationStore } from "./location-store.ts";
import { RecentTexts } from "./recent-texts.ts";
import { SharedParts } from "./shared-parts.ts";
import { StoredBinding } from "./stored-binding.ts";

const NONE: readonly Binding[] = Object.freeze([]);
const SHARED_PARTS = 4096;

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

/** One address-of-record that has bindings. Its time in the heap is its first binding's end, or earlier. */
interface User {
  readonly addressOfRecord: string;
  first: StoredBinding | undefined;
  place: number;
}

class Memory implements MemoryStore {
  readonly #capacity: number;
  readonly #users = new Map<string, User>();
  /** Those who had bindings. */
  readonly #departed: RecentTexts;
  readonly #heap = new ExpiryHeap<User>();
  readonly #shared = new SharedParts(SHARED_PARTS);
  #bindings = 0;

  constructor({ capacity = 2_000_000, remembered = 100_000 }: MemoryStoreOptions) {
    this.#capacity = capacity;
    this.#departed = new RecentTexts(remembered);
  }

  get users(): number {
    return this.#users.size;
  }

  get bindings(): number {
    return this.#bindings;
  }

  read(addressOfRecord: string): readonly Binding[] | undefined {
    const user = this.#users.get(addressOfRecord);
    if (user !== undefined) return listOf(user);
    return this.#departed.has(addressOfRecord) ? NONE : undefined;
  }

  update(addressOfRecord: string, change: BindingChange): readonly Binding[] {
    const user = this.#users.get(addressOfRecord);
    const before = user === undefined ? NONE : listOf(user);
    const after = change(before);
    if (after === before) return after;
    if (user !== undefined) {
      this.#write(user, before, after);
    } else if (after.length > 0) {
      if (this.#users.size >= this.#capacity) {
        throw new SipError("SIP_STORE_FULL", `${this.#capacity} users have bindings already`);
      }
      this.#departed.delete(addressOfRecord);
      const added: User = { addressOfRecord: detach(addressOfRecord), first: undefined, place: -1 };
      this.#users.set(added.addressOfRecord, added);
      this.#write(added, NONE, after);
    }
    return after;
  }

  expire(now: number, limit: number): readonly ExpiredBinding[] {
    const expired: ExpiredBinding[] = [];
    for (
      let user = this.#due(now);
      user !== undefined && expired.length < limit;
      user = this.#due(now)
    ) {
      expired.push({ addressOfRecord: user.addressOfRecord, binding: this.#removeEarliest(user) });
    }
    return expired;
  }

  nextExpiry(): number | undefined {
    return this.#heap.topTime;
  }

  /** The user whose binding ends first, if that is due. A refresh leaves the time in the heap: it is mended here. */
  #due(now: number): User | undefined {
    for (;;) {
      const user = this.#heap.top;
      if (user === undefined || this.#heap.timeOf(user) > now) return undefined;
      const earliest = earliestOf(user);
      if (earliest === this.#heap.timeOf(user)) return user;
      this.#heap.move(user, earliest);
    }
  }

  #removeEarliest(user: User): Binding {
    const earliest = this.#heap.timeOf(user);
    let before: StoredBinding | undefined;
    let due = user.first as StoredBinding;
    while (due.expiresAt !== earliest) {
      before = due;
      due = due.next as StoredBinding;
    }
    if (before === undefined) user.first = due.next;
    else before.next = due.next;
    this.#bindings -= 1;
    if (user.first === undefined) this.#depart(user);
    else this.#heap.move(user, earliestOf(user));
    return due.read();
  }

  /** What was handed out as `before` and comes back stays; what has the URI of another takes its place. */
  #write(user: User, before: readonly Binding[], after: readonly Binding[]): void {
    const earliestBefore = earliestOf(user);
    const old: (StoredBinding | undefined)[] = [];
    for (let each = user.first; each !== undefined; each = each.next) old.push(each);
    this.#bindings += after.length - old.length;
    const kept = after.map((binding) => {
      const index = before.indexOf(binding);
      const stored = old[index];
      if (stored !== undefined) old[index] = undefined;
      return stored;
    });
    let next: StoredBinding | undefined;
    for (let index = after.length - 1; index >= 0; index -= 1) {
      const stored = kept[index] ?? this.#store(after[index] as Binding, old);
      stored.next = next;
      next = stored;
    }
    user.first = next;
    if (next === undefined) this.#depart(user);
    else this.#schedule(user, earliestBefore);
  }

  #store(binding: Binding, old: (StoredBinding | undefined)[]): StoredBinding {
    const index = old.findIndex((each) => each?.hasUri(binding.uri));
    const stored = old[index];
    if (stored === undefined) return new StoredBinding(binding, this.#shared);
    old[index] = undefined;
    stored.write(binding, this.#shared);
    return stored;
  }

  #schedule(user: User, earliestBefore: number): void {
    const earliest = earliestOf(user);
    if (user.place < 0) this.#heap.add(user, earliest);
    // Its time in the heap is `earliestBefore` or less: a refresh needn't look there.
    else if (earliest < earliestBefore && earliest < this.#heap.timeOf(user)) {
      this.#heap.move(user, earliest);
    }
  }

  #depart(user: User): void {
    this.#users.delete(user.addressOfRecord);
    if (user.place >= 0) this.#heap.remove(user);
    this.#departed.add(user.addressOfRecord);
  }
}

function listOf(user: User): readonly Binding[] {
  const bindings: Binding[] = [];
  for (let each = user.first; each !== undefined; each = each.next) bindings.push(each.read());
  return bindings;
}

function earliestOf(user: User): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (let each = user.first; each !== undefined; each = each.next) {
    if (each.expiresAt < earliest) earliest = each.expiresAt;
  }
  return earliest;
}
