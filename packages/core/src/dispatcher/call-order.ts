/** The work that waits behind one key's pending work, in order of arrival. */
type Waiting = (() => void)[];

/** How many requests may wait behind one pending request, and behind all of them. */
const MAX_WAITING_EACH = 16;
const MAX_WAITING = 10_000;

/**
 * Keeps the requests of one call in order: while a request's handler is pending, later ones of the same Call-ID from
 * the same source wait behind it. Requests whose handlers answer at once never enter here.
 */
export class CallOrder {
  readonly #pending = new Map<string, Waiting>();
  #waiting = 0;

  static key(callId: string, address: string, port: number): string {
    return `${callId}\n${address}\n${port}`;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Whether anything is pending at all: spares the making of a key. */
  get idle(): boolean {
    return this.#pending.size === 0;
  }

  isPending(key: string): boolean {
    return this.#pending.has(key);
  }

  /** Marks a key's work as pending until {@link done}. */
  begin(key: string): void {
    if (!this.#pending.has(key)) this.#pending.set(key, []);
  }

  /** Lets work wait behind a pending key; `false` when too much waits already. */
  wait(key: string, run: () => void): boolean {
    const queue = this.#pending.get(key);
    if (queue === undefined || queue.length >= MAX_WAITING_EACH || this.#waiting >= MAX_WAITING) {
      return false;
    }
    queue.push(run);
    this.#waiting += 1;
    return true;
  }

  /** Ends a key's pending work and runs what waited, until that too is pending. */
  done(key: string): void {
    const queue = this.#pending.get(key);
    if (queue === undefined) return;
    this.#pending.delete(key);
    while (queue.length > 0) {
      const run = queue.shift();
      this.#waiting -= 1;
      run?.();
      const again = this.#pending.get(key);
      if (again !== undefined) {
        again.unshift(...queue.splice(0));
        return;
      }
    }
  }
}
