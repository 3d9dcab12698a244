import type { Clock, Timer } from "../clock.ts";

const SMALLEST = 64;

/**
 * Timers that all run equally long, so that they end in the order in which they were started: a ring of entries
 * behind one timer of the clock. Starting and stopping one is O(1) and allocates nothing.
 */
export class TimerQueue<Task, Label = undefined> {
  /** How long each of its timers runs, in milliseconds. */
  readonly delay: number;
  readonly #clock: Clock;
  readonly #fire: (task: Task, label: Label) => void;
  readonly #wake = (): void => this.#run();
  #tasks: (Task | undefined)[] = new Array(SMALLEST).fill(undefined);
  #labels: (Label | undefined)[] = new Array(SMALLEST).fill(undefined);
  #dues = new Float64Array(SMALLEST);
  // Timers are numbered as they start. Number n is kept at n modulo the ring's size, which is a power of two.
  #first = 0;
  #next = 0;
  #running = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, delay: number, fire: (task: Task, label: Label) => void) {
    this.#clock = clock;
    this.delay = delay;
    this.#fire = fire;
  }

  /** How many timers run. */
  get size(): number {
    return this.#running;
  }

  /** Starts a timer; its number is for `stop`. The label tells `fire` which of a task's timers it is. */
  start(task: Task, label: Label): number {
    if (this.#next - this.#first === this.#dues.length) this.#resize(this.#dues.length * 2);
    const number = this.#next++;
    const at = number & (this.#dues.length - 1);
    this.#tasks[at] = task;
    this.#labels[at] = label;
    this.#dues[at] = this.#clock.now() + this.delay;
    this.#running++;
    this.#timer ??= this.#clock.setTimer(this.delay, this.#wake);
    return number;
  }

  /** Stops a timer; does nothing when it has fired or was stopped. The clock's timer is left to run out. */
  stop(number: number): void {
    if (number < this.#first || number >= this.#next) return;
    const at = number & (this.#dues.length - 1);
    if (this.#tasks[at] === undefined) return;
    this.#clear(at);
    this.#skipStopped();
  }

  /** The task of the timer that fires next, `undefined` when none runs. */
  oldest(): Task | undefined {
    return this.#tasks[this.#first & (this.#dues.length - 1)];
  }

  /** Stops every timer and lets the clock's go. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#first = this.#next;
    this.#running = 0;
    this.#resize(SMALLEST);
  }

  #run(): void {
    const now = this.#clock.now();
    this.#timer = undefined;
    try {
      while (this.#running > 0) {
        const at = this.#first & (this.#dues.length - 1);
        const task = this.#tasks[at];
        if (task === undefined || (this.#dues[at] as number) > now) break;
        const label = this.#labels[at] as Label;
        this.#clear(at);
        this.#skipStopped();
        this.#fire(task, label);
      }
    } finally {
      this.#rearm();
    }
  }

  #rearm(): void {
    if (this.#running === 0) {
      if (this.#dues.length > SMALLEST) this.#resize(SMALLEST);
      return;
    }
    // A task that was fired may have started a timer here and so armed the clock for itself: the oldest goes first.
    this.#timer?.cancel();
    const due = this.#dues[this.#first & (this.#dues.length - 1)] as number;
    this.#timer = this.#clock.setTimer(Math.max(0, due - this.#clock.now()), this.#wake);
  }

  #clear(at: number): void {
    this.#tasks[at] = undefined;
    this.#labels[at] = undefined;
    this.#running--;
  }

  #skipStopped(): void {
    const mask = this.#dues.length - 1;
    while (this.#first < this.#next && this.#tasks[this.#first & mask] === undefined) this.#first++;
  }

  #resize(size: number): void {
    const tasks: (Task | undefined)[] = new Array(size).fill(undefined);
    const labels: (Label | undefined)[] = new Array(size).fill(undefined);
    const dues = new Float64Array(size);
    const mask = this.#dues.length - 1;
    for (let number = this.#first; number < this.#next; number++) {
      const to = number & (size - 1);
      tasks[to] = this.#tasks[number & mask];
      labels[to] = this.#labels[number & mask];
      dues[to] = this.#dues[number & mask] as number;
    }
    this.#tasks = tasks;
    this.#labels = labels;
    this.#dues = dues;
  }
}
