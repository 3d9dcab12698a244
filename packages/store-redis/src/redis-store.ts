import { randomUUID } from "node:crypto";
import {
  type Binding,
  type BindingChange,
  type ExpiredBinding,
  type ListRange,
  type LocationStore,
  type StoreCounts,
  type StoredUser,
  StoreUnavailable,
  type UserPage,
} from "@sipkit/registrar";
import { type Cursor, readCursor, writeCursor } from "./cursor.ts";
import type { Connection, Link } from "./link.ts";
import { type RedisSettings, type RedisStoreOptions, readOptions } from "./options.ts";
import { decodeRecord, encodeRecord, firstEnd, lastEnd, type UserRecord } from "./record.ts";
import { Replication } from "./replication.ts";
import { evaluate, WRITE } from "./scripts.ts";
import { type IndexEntry, UserIndex } from "./user-index.ts";
import { addressOfRecordOf, nameOf, PARTS } from "./user-name.ts";
import { UserOrder } from "./user-order.ts";

/** Milliseconds that a record outlives its last binding, so that some server finds it and tells that it expired. */
const LINGER = 60_000;
/** How often an update is run anew because somebody else was faster. */
const MAX_ATTEMPTS = 16;
/** Users of each part of the index that one turn of `expire` looks at, and how many turns it has. */
const EXPIRE_USERS = 64;
const EXPIRE_TURNS = 100;

/** A store in Redis or Valkey, which servers on many machines share. */
export interface RedisStore extends LocationStore {
  read(addressOfRecord: string): Promise<readonly Binding[] | undefined>;
  update(addressOfRecord: string, change: BindingChange): Promise<readonly Binding[]>;
  expire(now: number, limit: number): Promise<readonly ExpiredBinding[]>;
  nextExpiry(): Promise<number | undefined>;
  list(range: ListRange): Promise<UserPage>;
  counts(): Promise<StoreCounts>;
  close(): void;
}

/**
 * Makes a store in Redis 6.2 or Valkey, or later ones. It connects by itself, again and again: while there is nobody to
 * connect to, all that it is asked for rejects with `StoreUnavailable`.
 *
 * @example
 * new Registrar({ store: redisStore({ url: "redis://192.0.2.6:6379", replicas: 1 }) });
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  return new Redis(readOptions(options));
}

class Redis implements RedisStore {
  readonly #settings: RedisSettings;
  readonly #reader: Link;
  /** Another one where WAIT holds up what comes after it. */
  readonly #writer: Link;
  readonly #index: UserIndex;
  readonly #replication: Replication;
  readonly #order = new UserOrder();
  readonly #instance = randomUUID();
  #writes = 0;

  constructor(settings: RedisSettings) {
    const { connect, replicas, timeout, prefix } = settings;
    this.#settings = settings;
    this.#reader = connect();
    this.#writer = replicas === 0 ? this.#reader : connect();
    this.#index = new UserIndex(this.#reader, prefix);
    this.#replication = new Replication(replicas, Math.ceil(timeout / 2));
  }

  async read(addressOfRecord: string): Promise<readonly Binding[] | undefined> {
    const { version, bindings } = await this.#record(nameOf(addressOfRecord));
    return version === "" ? undefined : bindings;
  }

  update(addressOfRecord: string, change: BindingChange): Promise<readonly Binding[]> {
    const name = nameOf(addressOfRecord);
    return this.#order.run(name, () => this.#update(name, change));
  }

  async expire(now: number, limit: number): Promise<readonly ExpiredBinding[]> {
    const expired: ExpiredBinding[] = [];
    for (let turn = 0; turn < EXPIRE_TURNS && expired.length < limit; turn += 1) {
      const { entries, until } = await this.#index.due(now, EXPIRE_USERS);
      if (entries.length === 0) break;
      const records = await Promise.all(entries.map(({ name }) => this.#record(name)));
      const over = records
        .flatMap(({ bindings }) => bindings.filter(({ expiresAt }) => expiresAt <= until))
        .sort((a, b) => a.expiresAt - b.expiresAt);
      const taken = new Set(over.slice(0, limit - expired.length));
      const given = await Promise.all(
        entries.map((entry, index) => this.#expireUser(entry, records[index] as UserRecord, taken)),
      );
      for (const each of given.flat()) expired.push(each);
    }
    return expired.sort((a, b) => a.binding.expiresAt - b.binding.expiresAt);
  }

  nextExpiry(): Promise<number | undefined> {
    return this.#index.first();
  }

  async list({ after, limit }: ListRange): Promise<UserPage> {
    const start: Cursor = after === undefined ? { part: 0, name: undefined } : readCursor(after);
    const users: StoredUser[] = [];
    let room = limit;
    let from = start.name;
    for (let part = start.part; part < PARTS; part += 1) {
      const names = await this.#index.names(part, from, room);
      const records = await Promise.all(names.map((name) => this.#record(name)));
      for (const [index, { bindings }] of records.entries()) {
        const addressOfRecord = addressOfRecordOf(names[index] as string);
        if (bindings.length > 0) users.push({ addressOfRecord, bindings });
      }
      room -= names.length;
      const last = names.at(-1);
      if (room <= 0 && last !== undefined) return { users, next: writeCursor(part, last) };
      from = undefined;
    }
    return { users };
  }

  async counts(): Promise<StoreCounts> {
    return { users: await this.#index.size() };
  }

  close(): void {
    this.#reader.close();
    this.#writer.close();
  }

  /** In braces: all that concerns a user is in one slot of a cluster. */
  #key(name: string): string {
    return `${this.#settings.prefix}:{${name}}`;
  }

  async #record(name: string): Promise<UserRecord> {
    const key = this.#key(name);
    return decodeRecord((await this.#reader.send(key, ["GET", key])).reply as string | null);
  }

  async #update(name: string, change: BindingChange): Promise<readonly Binding[]> {
    let record = await this.#record(name);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const after = change(record.bindings);
      if (after === record.bindings) return after;
      const due = await this.#enter(name, record.due, after);
      const { connection, found } = await this.#write(name, record, after, due);
      if (found === undefined) {
        if (after.length === 0 && record.due !== undefined) await this.#leave(name, record.due);
        if (this.#settings.replicas > 0) await this.#replication.reached(connection);
        return after;
      }
      record = found;
    }
    throw new StoreUnavailable("others change this user all the time");
  }

  /** Has the index look at a user no later than when her first binding ends. */
  async #enter(
    name: string,
    due: number | undefined,
    bindings: readonly Binding[],
  ): Promise<number | undefined> {
    if (bindings.length === 0) return undefined;
    const end = firstEnd(bindings);
    return due !== undefined && due <= end ? due : this.#index.enter(name, end);
  }

  /** Who stays in the index by mistake is looked at, and taken out, when her time comes. */
  async #leave(name: string, time: number): Promise<void> {
    try {
      await this.#index.move({ name, time }, undefined);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }

  /** Writes a record in the place of the one that was read; gives another one that is there instead. */
  async #write(
    name: string,
    before: UserRecord,
    bindings: readonly Binding[],
    due: number | undefined,
  ): Promise<{ readonly connection: Connection; readonly found: UserRecord | undefined }> {
    const { clock, rememberFor } = this.#settings;
    const key = this.#key(name);
    this.#writes += 1;
    const record = { version: `${this.#instance}.${this.#writes}`, due, bindings };
    const goes =
      bindings.length > 0 ? lastEnd(bindings) + LINGER : clock.wall() + rememberFor * 1000;
    const args = [before.version, encodeRecord(record), String(Math.ceil(goes))];
    const { reply, connection } = await evaluate(
      (command) => this.#writer.send(key, command),
      WRITE,
      [key],
      args,
    );
    return { connection, found: reply === 1 ? undefined : decodeRecord(reply as string) };
  }

  /** Takes bindings from a user, unless she has changed, and has the index look at her when the next one ends. */
  #expireUser(
    entry: IndexEntry,
    record: UserRecord,
    taken: ReadonlySet<Binding>,
  ): Promise<readonly ExpiredBinding[]> {
    return this.#order.run(entry.name, async () => {
      const over = record.bindings.filter((binding) => taken.has(binding));
      const left = record.bindings.filter((binding) => !taken.has(binding));
      const due = left.length === 0 ? undefined : firstEnd(left);
      if (over.length > 0 || due !== record.due) {
        const { found } = await this.#write(entry.name, record, left, due);
        if (found !== undefined) return [];
      }
      if (due !== entry.time) await this.#index.move(entry, due);
      const addressOfRecord = addressOfRecordOf(entry.name);
      return over.map((binding) => ({ addressOfRecord, binding }));
    });
  }
}
