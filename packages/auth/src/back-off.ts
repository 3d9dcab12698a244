import { detach } from "@sipkit/core";
import { BoundedMap } from "./bounded-map.ts";

/** After how many failures somebody is shut out, and for how long. Times are in milliseconds. */
export interface BackOffOptions {
  /** Failures that are let pass; with this one he is shut out. */
  readonly failures?: number;
  /** How long, the first time. After that every further failure shuts him out again, for twice as long. */
  readonly first?: number;
  /** How long at most. */
  readonly longest?: number;
  /** After how long without a failure, and not shut out, all is forgotten. */
  readonly forgetAfter?: number;
}

interface Tally {
  failures: number;
  /** How often he was shut out. */
  times: number;
  /** Until when he is. */
  until: number;
  /** When all is forgotten. */
  over: number;
}

/** Who failed how often, and who is shut out until when. */
export class BackOff {
  readonly #options: Required<BackOffOptions>;
  readonly #tallies: BoundedMap<Tally>;

  /** `onForget`: somebody was forgotten before his time, for want of room. */
  constructor(options: Required<BackOffOptions>, size: number, onForget: () => void) {
    this.#options = options;
    this.#tallies = new BoundedMap(size, (tally, now) => now >= tally.over, onForget);
  }

  get size(): number {
    return this.#tallies.size;
  }

  /** How much longer he is shut out; 0: he isn't. */
  left(key: string, now: number): number {
    return Math.max(0, (this.#tallies.get(key)?.until ?? 0) - now);
  }

  /** Counts a failure. Gives for how long he is shut out from now on; 0: he isn't. */
  fail(key: string, now: number): number {
    const known = this.#tallies.get(key);
    const tally =
      known === undefined || now >= known.over
        ? { failures: 0, times: 0, until: 0, over: 0 }
        : known;
    const { failures, first, longest, forgetAfter } = this.#options;
    tally.failures += 1;
    let shutFor = 0;
    if (tally.failures >= failures || tally.times > 0) {
      shutFor = Math.min(longest, first * 2 ** Math.min(tally.times, 40));
      tally.times += 1;
      // What was under way when he was shut out must not shorten it.
      tally.until = Math.max(tally.until, now + shutFor);
    }
    tally.over = Math.max(now, tally.until) + forgetAfter;
    // Set anew as the newest: who goes on is forgotten last.
    this.#tallies.set(known === undefined ? detach(key) : key, tally, now);
    return shutFor;
  }

  /** The failures that count against him. */
  failures(key: string, now: number): number {
    const tally = this.#tallies.get(key);
    return tally === undefined || now >= tally.over ? 0 : tally.failures;
  }

  /** Takes failures back; none are left: all is forgotten. */
  forgive(key: string, count: number): void {
    const tally = this.#tallies.get(key);
    if (tally === undefined || count === 0) return;
    tally.failures -= count;
    if (tally.failures <= 0) this.#tallies.delete(key);
  }

  /** Forgets all of him. */
  clear(key: string): void {
    this.#tallies.delete(key);
  }

  /** Who is shut out, and for how much longer. */
  shut(now: number): readonly (readonly [key: string, left: number])[] {
    return [...this.#tallies]
      .filter(([, { until }]) => until > now)
      .map(([key, { until }]) => [key, until - now] as const);
  }
}
