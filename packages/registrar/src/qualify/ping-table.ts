/** 64 bits that name a binding of a user. */
export interface PingKey {
  readonly high: number;
  readonly low: number;
}

/** What is known of a binding. */
export interface PingRecord {
  readonly state: "unknown" | "reachable" | "unreachable";
  /** The number of its last ping; 0: there was none since its last REGISTER. */
  readonly ping: number;
  /** Whether that one is neither answered nor over its time. */
  readonly isAsked: boolean;
  /** Milliseconds from the last ping that was answered to its answer; `NaN`: there was none. */
  readonly roundTripTime: number;
  /** Pings in a row that were not answered, 255 at most. */
  readonly failures: number;
  /** How many of its turns to let pass. */
  readonly turnsOff: number;
}

const STATES = ["unknown", "reachable", "unreachable"] as const;

/** A row is six numbers of four bytes. */
const COLUMNS = 6;
const HIGH = 0;
const LOW = 1;
const MARK = 2;
const PING = 3;
const TIME = 4;
const COUNTS = 5;

/** Of MARK: a row that was never used, one whose binding is gone, and the first of the states. */
const FREE = 0;
const GONE = 1;
const FIRST_STATE = 2;
const STATE_BITS = 7;
const ASKED = 8;

const SMALLEST = 64;
/** A time is kept in thousandths of a millisecond. */
const MICROSECONDS = 1000;
const NO_TIME = 0xffff_ffff;

/**
 * What is known of bindings, in rows of numbers outside of the engine's heap: of a hundred thousand, an object each would
 * be what the collector walks over. Open addressing; a row is taken again only by its own binding until `clear`.
 */
export class PingTable {
  #columns = new Uint32Array(SMALLEST * COLUMNS);
  /** Rows that are not free, those of bindings that are gone too. */
  #used = 0;
  readonly #counts = { unknown: 0, reachable: 0, unreachable: 0 };

  get size(): number {
    return this.#counts.unknown + this.#counts.reachable + this.#counts.unreachable;
  }

  tally(state: PingRecord["state"]): number {
    return this.#counts[state];
  }

  get(key: PingKey): PingRecord | undefined {
    const at = this.#find(key);
    const mark = this.#columns[at + MARK] as number;
    const state = stateOf(mark);
    if (state === undefined) return undefined;
    const time = this.#columns[at + TIME] as number;
    const counts = this.#columns[at + COUNTS] as number;
    return {
      state,
      ping: this.#columns[at + PING] as number,
      isAsked: (mark & ASKED) !== 0,
      roundTripTime: time === NO_TIME ? Number.NaN : time / MICROSECONDS,
      failures: counts & 0xff,
      turnsOff: counts >>> 8,
    };
  }

  set(key: PingKey, record: PingRecord): void {
    let at = this.#find(key);
    if (this.#columns[at + MARK] === FREE) {
      if ((this.#used + 1) * 2 * COLUMNS > this.#columns.length) {
        this.#grow();
        at = this.#find(key);
      }
      this.#used += 1;
    }
    const before = stateOf(this.#columns[at + MARK] as number);
    if (before !== undefined) this.#counts[before] -= 1;
    this.#counts[record.state] += 1;
    const state = FIRST_STATE + STATES.indexOf(record.state);
    const { roundTripTime, failures, turnsOff } = record;
    this.#columns[at + HIGH] = key.high;
    this.#columns[at + LOW] = key.low;
    this.#columns[at + MARK] = record.isAsked ? state | ASKED : state;
    this.#columns[at + PING] = record.ping;
    this.#columns[at + TIME] = Number.isNaN(roundTripTime)
      ? NO_TIME
      : Math.min(roundTripTime * MICROSECONDS, NO_TIME - 1);
    this.#columns[at + COUNTS] = Math.min(failures, 0xff) | (turnsOff << 8);
  }

  delete(key: PingKey): void {
    const at = this.#find(key);
    const state = stateOf(this.#columns[at + MARK] as number);
    if (state === undefined) return;
    this.#counts[state] -= 1;
    this.#columns[at + MARK] = GONE;
  }

  clear(): void {
    // What was as large once needn't stay so.
    const rows = this.#columns.length / COLUMNS;
    const isFar = rows > SMALLEST && this.#used * 8 < rows;
    if (isFar) this.#columns = new Uint32Array((rows / 2) * COLUMNS);
    else this.#columns.fill(0);
    this.#used = 0;
    for (const state of STATES) this.#counts[state] = 0;
  }

  /** The row of a key, or the free one where it would be. */
  #find({ high, low }: PingKey): number {
    const columns = this.#columns;
    const mask = columns.length / COLUMNS - 1;
    for (let row = low & mask; ; row = (row + 1) & mask) {
      const at = row * COLUMNS;
      if (columns[at + MARK] === FREE) return at;
      if (columns[at + LOW] === low && columns[at + HIGH] === high) return at;
    }
  }

  /** To twice the rows, without those of what is gone. */
  #grow(): void {
    const old = this.#columns;
    this.#columns = new Uint32Array(old.length * 2);
    this.#used = 0;
    for (let at = 0; at < old.length; at += COLUMNS) {
      if (stateOf(old[at + MARK] as number) === undefined) continue;
      const key = { high: old[at + HIGH] as number, low: old[at + LOW] as number };
      this.#columns.set(old.subarray(at, at + COLUMNS), this.#find(key));
      this.#used += 1;
    }
  }
}

function stateOf(mark: number): PingRecord["state"] | undefined {
  return STATES[(mark & STATE_BITS) - FIRST_STATE];
}
