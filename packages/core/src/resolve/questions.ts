import type { Clock } from "../clock.ts";
import { detach } from "../message/detach.ts";

/** What is known of one name. */
export interface Answer<T> {
  readonly records: readonly T[];
  /** Why nobody could answer; left out where somebody did, and be it that there is nothing. */
  readonly failure?: unknown;
}

/** What a question has found. */
export interface Found<T> {
  readonly records: readonly T[];
  /** For how long that holds, in seconds; left out where nobody said so. */
  readonly ttl?: number;
}

/** The bounds of questions, all of one kind. */
export interface QuestionLimits {
  /** How long an answer is kept that doesn't say so itself, in milliseconds. */
  readonly keepFor: number;
  /** Names kept at once. */
  readonly maxNames: number;
  /** Names asked for at once. */
  readonly maxPending: number;
}

/** How often questions were asked, of all kinds. */
export interface QuestionCounters {
  /** Questions asked. */
  dnsQueries: number;
  /** Those that nobody answered, or with an error. */
  dnsFailures: number;
  /** Those that were not asked, since too many were under way. */
  dnsRefused: number;
}

interface Kept<T> extends Answer<T> {
  readonly until: number;
}

/** A server that doesn't answer is left in peace so long, in milliseconds. */
const FAILURE_KEPT = 2_000;
const MIN_KEPT = 1_000;
const MAX_KEPT = 86_400_000;
/** That there is nothing holds for this share of `keepFor`: who has just made a record won't wait for it. */
const NOTHING_SHARE = 6;

/** Questions of one kind about names: equal ones are asked once, and their answers are kept. */
export class Questions<T> {
  readonly kind: string;
  readonly #find: (name: string) => Promise<Found<T>>;
  readonly #clock: Clock;
  readonly #limits: QuestionLimits;
  readonly #counters: QuestionCounters;
  readonly #kept = new Map<string, Kept<T>>();
  readonly #pending = new Map<string, Promise<Answer<T>>>();

  constructor(
    kind: string,
    find: (name: string) => Promise<Found<T>>,
    context: {
      readonly clock: Clock;
      readonly limits: QuestionLimits;
      readonly counters: QuestionCounters;
    },
  ) {
    this.kind = kind;
    this.#find = find;
    this.#clock = context.clock;
    this.#limits = context.limits;
    this.#counters = context.counters;
  }

  /** The answer that is kept and still holds. */
  known(name: string): Answer<T> | undefined {
    const kept = this.#kept.get(name);
    return kept !== undefined && kept.until > this.#clock.now() ? kept : undefined;
  }

  /** Asks. The promise never rejects. */
  ask(name: string): Promise<Answer<T>> {
    const asked = this.#pending.get(name);
    if (asked !== undefined) return asked;
    if (this.#pending.size >= this.#limits.maxPending) {
      this.#counters.dnsRefused++;
      const failure = new Error("too many names are being asked for");
      return Promise.resolve({ records: [], failure });
    }
    const own = detach(name);
    const asking = this.#ask(own).finally(() => this.#pending.delete(own));
    this.#pending.set(own, asking);
    return asking;
  }

  async #ask(name: string): Promise<Answer<T>> {
    this.#counters.dnsQueries++;
    const { keepFor } = this.#limits;
    try {
      const { records, ttl } = await this.#find(name);
      if (records.length === 0) return this.#keep(name, { records }, keepFor / NOTHING_SHARE);
      // Deviation: NAPTR and SRV records are kept for `keepFor`, whatever their TTL (RFC 1035 §3.2.1): node:dns tells
      // the TTL of addresses only. The same holds for that there are none (RFC 2308 §5).
      if (ttl === undefined) return this.#keep(name, { records }, keepFor);
      return this.#keep(name, { records }, Math.min(Math.max(ttl * 1_000, MIN_KEPT), MAX_KEPT));
    } catch (failure) {
      if (isNothing(failure)) return this.#keep(name, { records: [] }, keepFor / NOTHING_SHARE);
      this.#counters.dnsFailures++;
      return this.#keep(name, { records: [], failure }, FAILURE_KEPT);
    }
  }

  #keep(name: string, answer: Answer<T>, time: number): Answer<T> {
    const kept = { ...answer, until: this.#clock.now() + time };
    // What is asked again moves to the end: the first is always the oldest.
    this.#kept.delete(name);
    const oldest =
      this.#kept.size >= this.#limits.maxNames ? this.#kept.keys().next().value : undefined;
    if (oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(name, kept);
    return kept;
  }
}

/** Whether an error says that there is no such name or record, and not that nobody could tell. */
function isNothing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOTFOUND" || code === "ENODATA";
}
