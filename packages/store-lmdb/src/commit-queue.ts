import { StoreUnavailable } from "@sipkit/registrar";

/** Pieces of work in one transaction: others, and the event loop, wait no longer than for these. */
const MAX_BATCH = 256;
/** Pieces of work that wait for a transaction. */
const MAX_WAITING = 10_000;

/** Runs something in a transaction of its own; the promise is kept once that is on the disk. */
export type Transact = (run: () => void) => Promise<unknown>;

interface Work {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Runs work in transactions, in order. What comes while one is being written to the disk shares the next one: the
 * busier it is, the more share the cost of one write.
 */
export class CommitQueue {
  readonly #transact: Transact;
  readonly #waiting: Work[] = [];
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(transact: Transact) {
    this.#transact = transact;
  }

  /**
   * Gives what `run` gives once it is on the disk, or what it throws; it must throw before it writes. Rejects with a
   * `StoreUnavailable` when the transaction failed: then nothing was written.
   */
  add<T>(run: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable("the store is closed"));
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new StoreUnavailable(`${MAX_WAITING} updates wait for the disk`));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run, resolve: resolve as Work["resolve"], reject });
      this.#running ??= this.#drain();
    });
  }

  /** Takes no more work, and waits for what it has. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#commit();
    this.#running = undefined;
  }

  async #commit(): Promise<void> {
    let batch: readonly Work[] = [];
    const settle: (() => void)[] = [];
    try {
      await this.#transact(() => {
        batch = this.#waiting.splice(0, MAX_BATCH);
        for (const work of batch) settle.push(attempt(work));
      });
    } catch (cause) {
      const error = new StoreUnavailable("the transaction failed", { cause: await reason(cause) });
      // One that failed before it began concerns all who wait.
      if (batch.length === 0) batch = this.#waiting.splice(0);
      for (const work of batch) work.reject(error);
      return;
    }
    for (const tell of settle) tell();
  }
}

/** Runs work, and gives how to tell what came out. */
function attempt(work: Work): () => void {
  try {
    const value = work.run();
    return () => work.resolve(value);
  } catch (error) {
    return () => work.reject(error);
  }
}

/** The lmdb package gives what really happened by a promise that is rejected with it. */
async function reason(cause: unknown): Promise<unknown> {
  try {
    await (cause as { readonly commitError?: unknown } | undefined)?.commitError;
    return cause;
  } catch (error) {
    return error;
  }
}
