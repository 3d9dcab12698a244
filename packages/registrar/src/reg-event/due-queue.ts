import type { Clock, Timer } from "@sipkit/core";
import { ExpiryHeap } from "../expiry-heap.ts";

/** Wakes up at least this often, in milliseconds: a timer of Node's can't be set for more than 24 days. */
const LONGEST_SLEEP = 3_600_000;
/** Items that are called for in one turn of the event loop. */
const MOST_AT_ONCE = 100;

/** What waits in a {@link DueQueue}. */
export interface Due {
  /** Its place in the queue's lists; the queue's own. */
  slot: number;
  place: number;
}

/** Calls for items at their times, with one timer for all of them. Times are of `clock.now()`. */
export class DueQueue<Item extends Due> {
  readonly #clock: Clock;
  readonly #run: (item: Item) => void;
  readonly #items: (Item | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #heap = new ExpiryHeap({
    placeOf: (slot) => (this.#items[slot] as Item).place,
    setPlace: (slot, place) => {
      (this.#items[slot] as Item).place = place;
    },
  });
  #timer: Timer | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  /** `run` gets an item that is due, which stays until it is set anew or deleted: it must do one of both. */
  constructor(clock: Clock, run: (item: Item) => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** Puts an item in, or gives it another time. */
  set(item: Item, time: number): void {
    if (item.slot >= 0) this.#heap.move(item.slot, time);
    else {
      item.slot = this.#free.pop() ?? this.#items.length;
      this.#items[item.slot] = item;
      this.#heap.add(item.slot, time);
    }
    this.#arm();
  }

  delete(item: Item): void {
    if (item.slot < 0) return;
    this.#heap.remove(item.slot);
    this.#items[item.slot] = undefined;
    this.#free.push(item.slot);
    item.slot = -1;
    if (this.#heap.size === 0) this.stop();
  }

  /** Lets go of the timer. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  /** A timer that is early does no harm: most items only move back. */
  #arm(): void {
    const next = this.#heap.topTime;
    if (next === undefined || next >= this.#armedFor) return;
    this.#timer?.cancel();
    const now = this.#clock.now();
    const delay = Math.min(Math.ceil(Math.max(0, next - now)), LONGEST_SLEEP);
    this.#armedFor = now + delay;
    this.#timer = this.#clock.setTimer(delay, () => this.#wake());
  }

  #wake(): void {
    // Whatever is set meanwhile arms nothing.
    this.#armedFor = Number.NEGATIVE_INFINITY;
    const now = this.#clock.now();
    for (let i = 0; i < MOST_AT_ONCE; i++) {
      const { top, topTime } = this.#heap;
      if (top === undefined || topTime === undefined || topTime > now) break;
      this.#run(this.#items[top] as Item);
    }
    this.stop();
    this.#arm();
  }
}
