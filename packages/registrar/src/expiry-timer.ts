import type { Clock, Timer } from "@sipkit/core";

/** Wakes up at least this often, in milliseconds: a timer counts monotonic time, and the wall clock may be set. */
const LONGEST_SLEEP = 3_600_000;

/** One timer for the earliest of the times that it is told. */
export class ExpiryTimer {
  readonly #clock: Clock;
  readonly #run: () => void;
  #due = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** Runs at that time of the wall clock, or earlier; `run` tells the next time. */
  arm(due: number): void {
    if (this.#stopped || due >= this.#due) return;
    this.#timer?.cancel();
    this.#due = due;
    const delay = Math.ceil(Math.max(0, due - this.#clock.wall()));
    this.#timer = this.#clock.setTimer(Math.min(delay, LONGEST_SLEEP), () => {
      this.#due = Number.POSITIVE_INFINITY;
      this.#run();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }
}
