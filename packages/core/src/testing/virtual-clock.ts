import { setImmediate } from "node:timers/promises";
import type { Clock, Timer } from "../clock.ts";

const EPOCH = 1_767_225_600_000; // 2026-01-01T00:00:00Z
const SETTLING_TURNS = 4;

interface VirtualTimer extends Timer {
  readonly due: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Time that moves only when a test says so, and then only while nothing is pending: before each timer, and at the end,
 * promises that are under way settle.
 *
 * @example
 * const clock = new VirtualClock();
 * clock.setTimer(32_000, () => console.log("Timer F"));
 * await clock.advance(32_000);
 */
export class VirtualClock implements Clock {
  // A binary heap by time, then by the order in which they were set.
  readonly #heap: VirtualTimer[] = [];
  #now = 0;
  #wallAtZero: number;
  #order = 0;
  #pending = 0;
  #advancing: Promise<void> = Promise.resolve();

  /** `wall`: milliseconds since 1970 at the beginning. Default: the beginning of 2026. */
  constructor({ wall = EPOCH }: { readonly wall?: number } = {}) {
    this.#wallAtZero = wall;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallAtZero + this.#now;
  }

  /** Moves the wall clock alone, as NTP does: no timer fires earlier or later for it. */
  stepWall(ms: number): void {
    this.#wallAtZero += ms;
  }

  setTimer(delay: number, run: () => void): Timer {
    const timer: VirtualTimer = {
      due: this.#now + Math.max(0, delay),
      order: this.#order++,
      run,
      cancel: () => {
        if (timer.run === undefined) return;
        timer.run = undefined;
        this.#pending--;
      },
    };
    this.#pending++;
    this.#push(timer);
    return timer;
  }

  /** Moves time on and runs what falls due, in order. Calls that overlap run one after another. */
  advance(ms: number): Promise<void> {
    const advanced = this.#advancing.then(() => this.#advance(ms));
    this.#advancing = advanced.catch(() => undefined);
    return advanced;
  }

  async #advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.due > end) break;
      this.#shift();
      const { run } = next;
      if (run === undefined) continue;
      this.#now = Math.max(this.#now, next.due);
      next.run = undefined;
      this.#pending--;
      run();
      await settle();
    }
    this.#now = end;
  }

  #push(timer: VirtualTimer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent] as VirtualTimer)) break;
      heap[at] = heap[parent] as VirtualTimer;
      at = parent;
    }
    heap[at] = timer;
  }

  #shift(): void {
    const heap = this.#heap;
    const last = heap.pop() as VirtualTimer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as VirtualTimer)) child++;
      if (!isBefore(heap[child] as VirtualTimer, last)) break;
      heap[at] = heap[child] as VirtualTimer;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

/** Lets promises settle that need no more than a few turns of the event loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLING_TURNS; turn++) await setImmediate();
}
