import { setImmediate } from "node:timers/promises";
import { type Clock, systemClock, type Timer } from "../clock.ts";

const EPOCH = 1_767_225_600_000; // 2026-01-01T00:00:00Z

/** Turns of the event loop in which nothing happens before time moves on. */
const IDLE_TURNS = 4;
/** Timers that each come of the one before at the same instant: more, and time is taken to stand still for good. */
const MAX_CHAIN = 10_000;
/** Turns of the event loop at one instant: likewise. */
const MAX_TURNS = 100_000;
/** How long something real may keep time from moving on, in milliseconds of the machine's own time. */
const PATIENCE = 10_000;

interface VirtualTimer extends Timer {
  readonly due: number;
  readonly order: number;
  /** How many timers of its own instant led to it, each one set by the one before. */
  readonly chain: number;
  run: (() => void) | undefined;
}

/** Something real that time waits for. */
interface Hold {
  readonly what: string;
}

/**
 * Time that moves only when a test says so, and then only while nothing is pending: before each timer, and at the end,
 * promises that are under way settle. A promise that waits for something real (a file, a socket, another process) looks
 * the same as one that waits for virtual time: name it with `hold`.
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
  /** Of the timer that ran last. */
  #chain = 0;
  /** Goes up whenever something happens that may lead to more at the same instant. */
  #activity = 0;
  readonly #holds = new Set<Hold>();
  #released: (() => void) | undefined;
  readonly #isBusy: () => boolean;
  #advancing: Promise<unknown> = Promise.resolve();

  /**
   * `wall`: milliseconds since 1970 at the beginning. Default: the beginning of 2026. `isBusy` is asked before time
   * moves: while it says so, time waits.
   */
  constructor(options: { readonly wall?: number; readonly isBusy?: () => boolean } = {}) {
    const { wall = EPOCH, isBusy = () => false } = options;
    this.#wallAtZero = wall;
    this.#isBusy = isBusy;
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
    const due = this.#now + Math.max(0, delay);
    const timer: VirtualTimer = {
      due,
      order: this.#order++,
      chain: due > this.#now ? 0 : this.#chain + 1,
      run,
      cancel: () => {
        if (timer.run === undefined) return;
        timer.run = undefined;
        this.#pending--;
        this.#activity++;
      },
    };
    this.#pending++;
    this.#activity++;
    this.#push(timer);
    return timer;
  }

  /**
   * Keeps time from moving until the promise has settled, and gives the promise. `what` names it when it never does:
   * after ten real seconds `advance` rejects.
   */
  hold<T>(promise: Promise<T>, what = "a promise"): Promise<T> {
    const hold: Hold = { what };
    this.#holds.add(hold);
    const release = (): void => {
      this.#holds.delete(hold);
      this.#activity++;
      if (this.#holds.size === 0) this.#released?.();
    };
    promise.then(release, release);
    return promise;
  }

  /**
   * Moves time on and runs what falls due, in order. Calls that overlap run one after another. Rejects with what a
   * timer throws, and when time can't move on.
   */
  async advance(ms: number): Promise<void> {
    await this.advanceUntil(() => false, ms);
  }

  /** Moves time on until `isDone`, at most that far, and tells whether it was done. */
  advanceUntil(isDone: () => boolean, ms: number): Promise<boolean> {
    const advanced = this.#advancing.then(() => this.#advance(isDone, ms));
    this.#advancing = advanced.catch(() => undefined);
    return advanced;
  }

  async #advance(isDone: () => boolean, ms: number): Promise<boolean> {
    const end = this.#now + ms;
    await this.#settle();
    for (;;) {
      if (isDone()) return true;
      const next = this.#heap[0];
      if (next === undefined || next.due > end) break;
      this.#shift();
      const { run } = next;
      if (run === undefined) continue;
      if (next.chain > MAX_CHAIN) {
        throw new Error(
          `time stands still at ${this.#now} ms: a timer without a delay leads to the next, ${next.chain} times so far`,
        );
      }
      this.#chain = next.chain;
      this.#now = Math.max(this.#now, next.due);
      next.run = undefined;
      this.#pending--;
      run();
      await this.#settle();
    }
    this.#now = end;
    this.#chain = 0;
    return false;
  }

  /** Waits until nothing happens any more at this instant. */
  async #settle(): Promise<void> {
    let turns = 0;
    let since: number | undefined;
    for (let idle = 0; idle < IDLE_TURNS; ) {
      const before = this.#activity;
      await setImmediate();
      if (this.#holds.size > 0) await this.#untilReleased();
      idle = before === this.#activity ? idle + 1 : 0;
      if (++turns > MAX_TURNS) {
        throw new Error(
          `time stands still at ${this.#now} ms: something happens there without end`,
        );
      }
      if (idle === IDLE_TURNS && this.#isBusy()) {
        since ??= systemClock.now();
        if (systemClock.now() - since > PATIENCE) throw stuck("a handler's real work");
        idle = 0;
        turns = 0;
      }
    }
  }

  #untilReleased(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = systemClock.setTimer(PATIENCE, () => {
        reject(stuck([...this.#holds].map(({ what }) => what).join(", ")));
      });
      this.#released = () => {
        timer.cancel();
        resolve();
      };
    });
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

function stuck(what: string): Error {
  return new Error(
    `virtual time has waited ${PATIENCE / 1000} real seconds for ${what}: what is held must not wait for virtual time itself`,
  );
}
