import type { Clock } from "../clock.ts";
import { TimerQueue } from "./timer-queue.ts";

/**
 * The timers of RFC 3261 §17 and RFC 6026 under their letters, the retransmission of a 2xx by the UAS core (§13.3.1.4),
 * and the wait for the end of a cancelled INVITE (§9.1).
 */
export type TimerName =
  | "A"
  | "B"
  | "D"
  | "E"
  | "F"
  | "G"
  | "H"
  | "I"
  | "K"
  | "L"
  | "M"
  | "2xx"
  | "cancelled";

/** Those that end a state which only keeps a completed transaction a little longer. */
export type LastTimer = Extract<TimerName, "D" | "H" | "I" | "K" | "L" | "M">;

/** Who has timers. */
export interface TimerTask {
  /** A timer ran out. */
  fired(name: TimerName): void;
}

/** RFC 3261's base times in milliseconds. */
export interface BaseTimes {
  /** Estimate of the round trip. Default: 500. */
  readonly t1?: number;
  /** The longest interval between retransmissions of anything but an INVITE request. Default: 4000. */
  readonly t2?: number;
  /** How long a message can live in the network. Default: 5000. */
  readonly t4?: number;
}

const LEAST_TIMER_D = 32_000;

/**
 * Every timer of every transaction, in one queue per length. The last ones have a queue per letter, so that the oldest
 * of its kind is found at once.
 */
export class Timers {
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
  /** 64·T1. */
  readonly timeout: number;
  /**
   * When a client's Timer E is set to T2, counted from its request: no 100 goes to a non-INVITE before that.
   * RFC 4320 §4.1
   */
  readonly untilT2: number;
  readonly #clock: Clock;
  readonly #queues: TimerQueue<TimerTask, TimerName>[] = [];
  readonly #byLength = new Map<number, number>();
  readonly #last: Readonly<Record<LastTimer, number>>;

  constructor(clock: Clock, { t1 = 500, t2 = 4000, t4 = 5000 }: BaseTimes = {}) {
    this.#clock = clock;
    this.t1 = t1;
    this.t2 = t2;
    this.t4 = t4;
    this.timeout = 64 * t1;
    let untilT2 = 0;
    for (let interval = t1; interval < t2; interval *= 2) untilT2 += interval;
    this.untilT2 = untilT2;
    this.#last = {
      // 32 s at least, whatever our T1, since the server's is unknown.
      D: this.#add(Math.max(LEAST_TIMER_D, this.timeout)),
      H: this.#add(this.timeout),
      I: this.#add(t4),
      K: this.#add(t4),
      L: this.#add(this.timeout),
      M: this.#add(this.timeout),
    };
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.#clock.now();
  }

  /** Starts a timer. What it gives is for `stop`, and is never 0. */
  start(task: TimerTask, name: Exclude<TimerName, LastTimer>, delay: number): number {
    let index = this.#byLength.get(delay);
    if (index === undefined) {
      index = this.#add(delay);
      this.#byLength.set(delay, index);
    }
    return this.#startIn(index, task, name);
  }

  /** Starts a timer whose length its letter tells. */
  startLast(task: TimerTask, name: LastTimer): number {
    return this.#startIn(this.#last[name], task, name);
  }

  /** Stops a timer; does nothing to one that has fired, or to 0. */
  stop(timer: number): void {
    if (timer === 0) return;
    const index = (timer - 1) % QUEUES;
    this.#queues[index]?.stop((timer - 1 - index) / QUEUES);
  }

  /** Whose timer of that letter fires next. */
  oldest(name: LastTimer): TimerTask | undefined {
    return this.#queues[this.#last[name]]?.oldest();
  }

  /** Stops them all. */
  close(): void {
    for (const queue of this.#queues) queue.close();
  }

  #startIn(index: number, task: TimerTask, name: TimerName): number {
    const number = (this.#queues[index] as TimerQueue<TimerTask, TimerName>).start(task, name);
    return number * QUEUES + index + 1;
  }

  #add(delay: number): number {
    return this.#queues.push(new TimerQueue(this.#clock, delay, fire)) - 1;
  }
}

// A handle holds the queue's index beside the timer's number. Lengths: six letters, T1·2⁰ to T1·2⁶, T2, 64·T1.
const QUEUES = 32;

function fire(task: TimerTask, name: TimerName): void {
  task.fired(name);
}
