import { SipError } from "@sipkit/core";
import type {
  Binding,
  BindingChange,
  ExpiredBinding,
  ListRange,
  LocationStore,
  StoreCounts,
  UserPage,
} from "@sipkit/registrar";
import { CommitQueue } from "./commit-queue.ts";
import { Departed } from "./departed.ts";
import { decodeRecord, encodeRecord, firstEnd, type UserRecord } from "./record.ts";
import { openTables, type Tables } from "./tables.ts";
import { UserIndex } from "./user-index.ts";
import { readCursor, userKey, writeCursor } from "./user-key.ts";

/** Users that one transaction of `expire` looks at. */
const EXPIRE_STEPS = 256;
const NOTHING: readonly Binding[] = Object.freeze([]);

export interface LmdbStoreOptions {
  /** The folder of the files; it is made where there is none. On a disk of this machine, never on a network's. */
  readonly path: string;
  /** Addresses-of-record with bindings, at most; a further one is refused with `SIP_STORE_FULL`. Default: 2,000,000. */
  readonly capacity?: number;
  /** How many addresses-of-record without bindings are remembered as known, at most. Default: 100,000. */
  readonly remembered?: number;
}

/** A store in a folder: it answers reads at once, and acknowledges what is on the disk. */
export interface LmdbStore extends LocationStore {
  /** Addresses-of-record that have bindings, those of other processes too. */
  readonly users: number;
  read(addressOfRecord: string): readonly Binding[] | undefined;
  update(addressOfRecord: string, change: BindingChange): Promise<readonly Binding[]>;
  expire(now: number, limit: number): Promise<readonly ExpiredBinding[]>;
  nextExpiry(): number | undefined;
  list(range: ListRange): UserPage;
  counts(): StoreCounts;
  close(): Promise<void>;
}

/**
 * Opens a store in a folder, which several processes of one machine may share. What `update` has acknowledged survives
 * the process and the machine. Throws a `SipError` `SIP_BAD_STORE` where the folder can't be opened.
 *
 * @example
 * new Registrar({ store: lmdbStore({ path: "/var/lib/sipkit" }) });
 */
export function lmdbStore(options: LmdbStoreOptions): LmdbStore {
  return new Lmdb(options);
}

class Lmdb implements LmdbStore {
  readonly #capacity: number;
  readonly #tables: Tables;
  readonly #ends: UserIndex;
  readonly #departed: Departed;
  readonly #commits: CommitQueue;

  constructor({ path, capacity = 2_000_000, remembered = 100_000 }: LmdbStoreOptions) {
    this.#capacity = capacity;
    this.#tables = openTables(path);
    const { root, ends, departed, departures } = this.#tables;
    this.#ends = new UserIndex(ends);
    this.#departed = new Departed(departed, departures, remembered);
    this.#commits = new CommitQueue((run) => root.transaction(run));
  }

  get users(): number {
    this.#refresh();
    return this.#userCount();
  }

  read(addressOfRecord: string): readonly Binding[] | undefined {
    this.#refresh();
    const user = userKey(addressOfRecord);
    return this.#record(user)?.bindings ?? (this.#departed.has(user) ? [] : undefined);
  }

  update(addressOfRecord: string, change: BindingChange): Promise<readonly Binding[]> {
    return this.#commits.add(() => {
      const user = userKey(addressOfRecord);
      const record = this.#record(user);
      const before = record?.bindings ?? NOTHING;
      const after = change(before);
      if (after === before) return after;
      if (record === undefined && after.length > 0 && this.#userCount() >= this.#capacity) {
        throw new SipError("SIP_STORE_FULL", `${this.#capacity} users have bindings already`);
      }
      this.#write(user, addressOfRecord, record, after);
      return after;
    });
  }

  async expire(now: number, limit: number): Promise<readonly ExpiredBinding[]> {
    const expired: ExpiredBinding[] = [];
    while (expired.length < limit) {
      const room = limit - expired.length;
      const { found, isOver } = await this.#commits.add(() => this.#expireSome(now, room));
      for (const each of found) expired.push(each);
      if (isOver) break;
    }
    return expired;
  }

  nextExpiry(): number | undefined {
    this.#refresh();
    return this.#ends.first(1)[0]?.number;
  }

  /** In the order of the keys: whoever comes or goes meanwhile moves nobody else. */
  list({ after, limit }: ListRange): UserPage {
    const start = after === undefined ? undefined : readCursor(after);
    this.#refresh();
    const range = start === undefined ? {} : { start, exclusiveStart: true };
    const found = [...this.#tables.users.getRange({ ...range, limit: limit + 1 })];
    const users = found.slice(0, limit).map(({ value }) => {
      const { addressOfRecord, bindings } = decodeRecord(Buffer.from(value));
      return { addressOfRecord, bindings };
    });
    const last = found[limit - 1];
    if (found.length <= limit || last === undefined) return { users };
    return { users, next: writeCursor(last.key) };
  }

  counts(): StoreCounts {
    return { users: this.users };
  }

  async close(): Promise<void> {
    await this.#commits.close();
    await this.#tables.root.close();
  }

  /** Has the next reads see what other processes have committed until now. */
  #refresh(): void {
    this.#tables.root.resetReadTxn();
  }

  #userCount(): number {
    return (this.#tables.users.getStats() as { readonly entryCount: number }).entryCount;
  }

  #record(user: Buffer): UserRecord | undefined {
    const bytes = this.#tables.users.getBinaryFast(user);
    return bytes === undefined ? undefined : decodeRecord(bytes);
  }

  /** Within a transaction. A refresh leaves the index as it is: its time is looked at when it comes. */
  #write(
    user: Buffer,
    addressOfRecord: string,
    record: UserRecord | undefined,
    bindings: readonly Binding[],
  ): void {
    if (bindings.length === 0) {
      if (record !== undefined) this.#remove(user, record);
      return;
    }
    const end = firstEnd(bindings);
    let due = record?.due;
    if (due === undefined || end < due) {
      if (due === undefined) this.#departed.remove(user);
      else this.#ends.remove(due, user);
      this.#ends.add(end, user);
      due = end;
    }
    this.#tables.users.putSync(user, encodeRecord({ addressOfRecord, due, bindings }));
  }

  #remove(user: Buffer, { due }: UserRecord): void {
    this.#ends.remove(due, user);
    this.#tables.users.removeSync(user);
    this.#departed.add(user);
  }

  /** Within a transaction: bindings that are over by then, in order, and whether those were all. */
  #expireSome(now: number, room: number): { found: readonly ExpiredBinding[]; isOver: boolean } {
    const found: ExpiredBinding[] = [];
    for (let step = 0; step < EXPIRE_STEPS; step += 1) {
      const [entry, next] = this.#ends.first(2);
      if (entry === undefined || entry.number > now) return { found, isOver: true };
      if (found.length >= room) break;
      // Nobody else's binding ends before the next entry's time.
      const until = Math.min(now, next?.number ?? now);
      for (const each of this.#expireUser(entry.user, until, room - found.length)) found.push(each);
    }
    return { found, isOver: false };
  }

  /** Takes a user's bindings that are over by then, and has the index look at her when the next one ends. */
  #expireUser(user: Buffer, until: number, room: number): readonly ExpiredBinding[] {
    const record = this.#record(user) as UserRecord;
    const { addressOfRecord, bindings, due } = record;
    const over = bindings
      .filter(({ expiresAt }) => expiresAt <= until)
      .sort((a, b) => a.expiresAt - b.expiresAt)
      .slice(0, room);
    const left = bindings.filter((binding) => !over.includes(binding));
    if (left.length === 0) this.#remove(user, record);
    else {
      const end = firstEnd(left);
      this.#ends.remove(due, user);
      this.#ends.add(end, user);
      this.#tables.users.putSync(user, encodeRecord({ addressOfRecord, due: end, bindings: left }));
    }
    return over.map((binding) => ({ addressOfRecord, binding }));
  }
}
