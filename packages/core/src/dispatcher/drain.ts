import type { Clock, Timer } from "../clock.ts";

/** Waits, for a bounded time, until nothing is pending any more. */
export class Drain {
  readonly #clock: Clock;
  readonly #isIdle: () => boolean;
  #due = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #isOver = false;
  #look: () => void = () => undefined;

  constructor(clock: Clock, isIdle: () => boolean) {
    this.#clock = clock;
    this.#isIdle = isIdle;
  }

  /** Ends the wait in so many milliseconds, if it would last longer. */
  limit(within: number): void {
    const due = this.#clock.now() + within;
    if (due >= this.#due) return;
    this.#due = due;
    this.#timer?.cancel();
    if (within > 0) this.#timer = this.#clock.setTimer(within, () => this.#end());
    else this.#end();
  }

  /** Looks again: something has ended. */
  look(): void {
    this.#look();
  }

  /** Resolves when nothing is pending, or when the time is over. */
  async done(): Promise<void> {
    // Looked at when the turn is over in which something ended: a failover or the next fork begins in that turn.
    while (!this.#isOver && !this.#isIdle()) {
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
    this.#timer?.cancel();
  }

  #end(): void {
    this.#isOver = true;
    this.#look();
  }
}
