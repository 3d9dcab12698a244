import type { Clock, Timer } from "@sipkit/core";

/** What can have a deadline: its place in the queue. Only {@link Deadlines} touches it. */
export class Expiring {
  /** By the monotonic clock; 0 while no deadline is set. */
  due = 0;
  sooner: this | undefined = undefined;
  later: this | undefined = undefined;
}

/**
 * Deadlines that are all equally far away when they are set, so that they come in the order in which they were last
 * set: a list behind one timer of the clock, which is not touched when one is set again.
 */
export class Deadlines<Item extends Expiring> {
  readonly #clock: Clock;
  readonly #delay: number;
  readonly #expired: (item: Item) => void;
  readonly #wake = (): void => this.#run();
  #soonest: Item | undefined;
  #latest: Item | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, delay: number, expired: (item: Item) => void) {
    this.#clock = clock;
    this.#delay = delay;
    this.#expired = expired;
  }

  /** Sets an item's deadline, anew when it has one. */
  set(item: Item): void {
    this.delete(item);
    item.due = this.#clock.now() + this.#delay;
    item.sooner = this.#latest;
    if (this.#latest === undefined) this.#soonest = item;
    else this.#latest.later = item;
    this.#latest = item;
    this.#timer ??= this.#clock.setTimer(this.#delay, this.#wake);
  }

  /** The clock's timer is left to run out: the next deadline is most often set before. */
  delete(item: Item): void {
    if (item.due === 0) return;
    const { sooner, later } = item;
    if (sooner === undefined) this.#soonest = later;
    else sooner.later = later;
    if (later === undefined) this.#latest = sooner;
    else later.sooner = sooner;
    item.due = 0;
    item.sooner = undefined;
    item.later = undefined;
  }

  /** Forgets all deadlines. */
  close(): void {
    this.#soonest = undefined;
    this.#latest = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #run(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (let item = this.#soonest; item !== undefined; item = this.#soonest) {
      if (item.due > now) {
        this.#wakeIn(item.due - now);
        return;
      }
      this.delete(item);
      this.#expired(item);
    }
  }

  #wakeIn(delay: number): void {
    // What expired may have set a deadline and so armed the clock for itself: the nearest goes first.
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(delay, this.#wake);
  }
}
