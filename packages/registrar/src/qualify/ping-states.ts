import { createHash } from "node:crypto";
import type { Binding } from "../binding.ts";
import { identifyingParts } from "../binding-id.ts";
import type { BindingEvent, BindingEventName } from "../events.ts";
import { type PingKey, type PingRecord, PingTable } from "./ping-table.ts";

/** What the pings of a binding have told. */
export interface Reachability {
  /** Left out: nothing yet, or nothing since it was registered anew. */
  readonly reachability?: "reachable" | "unreachable";
  /** Milliseconds from its last ping to the answer; left out while it is unreachable. */
  readonly roundTripTime?: number;
}

/** A ping that was begun. */
export interface BegunPing {
  readonly key: PingKey;
  /** 0: there was no room to remember it. */
  readonly ping: number;
}

/** One that goes on not to answer is asked every second, every fourth, at last every eighth time. */
const LONGEST_PAUSE = 8;
const LAST_NUMBER = 0xffff_ffff;

const NEW: PingRecord = Object.freeze({
  state: "unknown",
  ping: 0,
  isAsked: false,
  roundTripTime: Number.NaN,
  failures: 0,
  turnsOff: 0,
});

/**
 * What this process knows of bindings by its pings, bounded. What a whole walk through the store didn't come by is
 * forgotten after it: its binding has gone, or is another node's now.
 */
export class PingStates {
  readonly #most: number;
  readonly #failures: number;
  readonly #salt: string;
  /** What this walk has come by. */
  #current = new PingTable();
  /** What the one before it came by, and this one has not yet. */
  #previous = new PingTable();
  #lastPing = 0;

  /** `failures`: how many make a binding unreachable. `salt`: so that nobody can choose where in a table he is. */
  constructor(
    { remembered, failures }: { readonly remembered: number; readonly failures: number },
    salt: string,
  ) {
    this.#most = remembered;
    this.#failures = failures;
    this.#salt = salt;
  }

  /** How many bindings something is known of. */
  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  tally(state: "reachable" | "unreachable"): number {
    return this.#current.tally(state) + this.#previous.tally(state);
  }

  of(addressOfRecord: string, binding: Binding): Reachability {
    const record = this.size === 0 ? undefined : this.#get(this.#keyOf(addressOfRecord, binding));
    if (record === undefined || record.state === "unknown") return {};
    const { state, roundTripTime } = record;
    if (state === "unreachable") return { reachability: state };
    return { reachability: state, roundTripTime };
  }

  isUnreachable(addressOfRecord: string, binding: Binding): boolean {
    return this.tally("unreachable") > 0 && isDown(this.of(addressOfRecord, binding));
  }

  /** To be told of what becomes of each binding: a REGISTER proves that its device is there. */
  note(name: BindingEventName, { addressOfRecord, binding, previous }: BindingEvent): void {
    if (this.size === 0) return;
    const isKept = name === "added" || name === "refreshed";
    if (!isKept) this.#forget(this.#keyOf(addressOfRecord, binding));
    else if (previous !== undefined && !isSame(previous, binding)) {
      this.#forget(this.#keyOf(addressOfRecord, previous));
    }
    if (!isKept) return;
    const key = this.#keyOf(addressOfRecord, binding);
    const record = this.#get(key);
    if (record === undefined) return;
    // A ping that is under way may have gone to where the device was before.
    const isReachable = record.state === "reachable";
    this.#set(key, isReachable ? { ...record, ping: 0, isAsked: false, failures: 0 } : NEW);
  }

  /** A walk has come by a binding: gives a ping to send, unless one is under way, or others come before it. */
  begin(addressOfRecord: string, binding: Binding): BegunPing | undefined {
    const key = this.#keyOf(addressOfRecord, binding);
    const record = this.#get(key);
    if (record === undefined && this.size >= this.#most) return { key, ping: 0 };
    const { isAsked, turnsOff } = record ?? NEW;
    if (isAsked || turnsOff > 0) {
      this.#set(key, { ...(record ?? NEW), turnsOff: Math.max(0, turnsOff - 1) });
      return undefined;
    }
    this.#lastPing = this.#lastPing === LAST_NUMBER ? 1 : this.#lastPing + 1;
    this.#set(key, { ...(record ?? NEW), ping: this.#lastPing, isAsked: true });
    return { key, ping: this.#lastPing };
  }

  /** A ping was answered; tells whether that is news. */
  answered({ key, ping }: BegunPing, roundTripTime: number): boolean {
    const record = this.#asked(key, ping);
    if (record === undefined) return false;
    this.#set(key, { ...NEW, state: "reachable", ping, roundTripTime });
    return record.state !== "reachable";
  }

  /** A ping was not answered; tells whether its binding is unreachable, and whether that is news. */
  unanswered({ key, ping }: BegunPing): "not yet" | "still" | "now" {
    const record = this.#asked(key, ping);
    if (record === undefined) return "not yet";
    const failures = record.failures + 1;
    const beyond = failures - this.#failures;
    if (beyond < 0) {
      this.#set(key, { ...record, isAsked: false, failures });
      return "not yet";
    }
    const turnsOff = Math.min(2 ** beyond, LONGEST_PAUSE) - 1;
    this.#set(key, { ...NEW, state: "unreachable", ping, failures, turnsOff });
    return record.state === "unreachable" ? "still" : "now";
  }

  /** A ping came to nothing that its binding could help. */
  withdraw({ key, ping }: BegunPing): void {
    const record = this.#asked(key, ping);
    if (record !== undefined) this.#set(key, { ...record, isAsked: false });
  }

  walkEnded(): void {
    const left = this.#previous;
    this.#previous = this.#current;
    this.#current = left;
    left.clear();
  }

  clear(): void {
    this.#current.clear();
    this.#previous.clear();
  }

  /** The record of a binding whose last ping this was. */
  #asked(key: PingKey, ping: number): PingRecord | undefined {
    const record = this.#get(key);
    return ping > 0 && record?.ping === ping ? record : undefined;
  }

  #get(key: PingKey): PingRecord | undefined {
    return this.#current.get(key) ?? this.#previous.get(key);
  }

  #set(key: PingKey, record: PingRecord): void {
    this.#previous.delete(key);
    this.#current.set(key, record);
  }

  #forget(key: PingKey): void {
    this.#current.delete(key);
    this.#previous.delete(key);
  }

  #keyOf(addressOfRecord: string, binding: Binding): PingKey {
    const written = JSON.stringify([this.#salt, addressOfRecord, ...identifyingParts(binding)]);
    const hash = createHash("sha256").update(written).digest();
    return { high: hash.readUInt32LE(0), low: hash.readUInt32LE(4) };
  }
}

/** Whether something can't be reached, as far as is known. */
export function isDown({ reachability }: Reachability): boolean {
  return reachability === "unreachable";
}

function isSame(a: Binding, b: Binding): boolean {
  return a.uri === b.uri && a.params === b.params;
}
