import { type Clock, detach, type Timer } from "@sipkit/core";

interface Entry {
  readonly score: number;
  readonly until: number;
}

/** Remembers scores for a time: at most `size`, the oldest goes first. */
export class ScoreCache {
  readonly #clock: Clock;
  readonly #keepFor: number;
  readonly #size: number;
  readonly #entries = new Map<string, Entry>();
  #sweep: Timer;

  constructor(clock: Clock, keepFor: number, size: number) {
    this.#clock = clock;
    this.#keepFor = keepFor;
    this.#size = size;
    this.#sweep = clock.setTimer(keepFor, () => this.#dropExpired());
  }

  get(caller: string): number | undefined {
    const entry = this.#entries.get(caller);
    return entry !== undefined && entry.until > this.#clock.now() ? entry.score : undefined;
  }

  set(caller: string, score: number): void {
    this.#entries.delete(caller);
    const oldest = this.#entries.size < this.#size ? undefined : this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(detach(caller), { score, until: this.#clock.now() + this.#keepFor });
  }

  close(): void {
    this.#sweep.cancel();
  }

  #dropExpired(): void {
    for (const [caller, { until }] of this.#entries) {
      if (until > this.#clock.now()) break;
      this.#entries.delete(caller);
    }
    this.#sweep = this.#clock.setTimer(this.#keepFor, () => this.#dropExpired());
  }
}
