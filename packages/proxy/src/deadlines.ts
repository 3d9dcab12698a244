import type { Clock, Timer } from "@sipkit/core";

/**
 * Deadlines that are all equally far away when they are set, so that they come in the order in which they were last
 * set: one timer of the clock for all of them, none started or stopped when one is set again.
 */
export class Deadlines<Item> {
  readonly #clock: Clock;
  readonly #delay: number;
  readonly #expired: (item: Item) => void;
  /** In order of the deadline: what is set again goes to the end. */
  readonly #due = new Map<Item, number>();
  #timer: Timer | undefined;

  constructor(clock: Clock, delay: number, expired: (item: Item) => void) {
    this.#clock = clock;
    this.#delay = delay;
    this.#expired = expired;
  }

  /** Sets an item's deadline, anew when it has one. */
  set(item: Item): void {
    this.#due.delete(item);
    this.#due.set(item, this.#clock.now() + this.#delay);
    this.#timer ??= this.#clock.setTimer(this.#delay, this.#run);
  }

  /** The clock's timer is left to run out: the next deadline is most often set before. */
  delete(item: Item): void {
    this.#due.delete(item);
  }

  close(): void {
    this.#due.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const [item, due] of this.#due) {
      if (due > now) {
        this.#wakeIn(due - now);
        return;
      }
      this.#due.delete(item);
      this.#expired(item);
    }
  };

  #wakeIn(delay: number): void {
    // What expired may have set a deadline and so armed the clock for itself: the nearest goes first.
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(delay, this.#run);
  }
}
