import type { Verdict } from "../chain/handler.ts";

/** How many asynchronous handlers may be at work at once, on requests and on responses. */
const MAX_PENDING_HANDLERS = 10_000;

/** Whom a handler's promise tells. */
interface Follower {
  settle(verdict: Verdict): void;
  /** The handler failed, or what was to settle its verdict. */
  fail(error: unknown): void;
  /** Called after either of them. */
  ended?(): void;
}

/** The asynchronous handlers that have not come to an end. */
export class PendingHandlers {
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether there may be another one. */
  get hasRoom(): boolean {
    return this.#size < MAX_PENDING_HANDLERS;
  }

  /** Counts a handler until its verdict is there, and tells that. */
  follow(outcome: Promise<Verdict>, follower: Follower): void {
    this.#size += 1;
    outcome
      .then(
        (verdict) => follower.settle(verdict),
        (error: unknown) => follower.fail(error),
      )
      .finally(() => {
        this.#size -= 1;
        follower.ended?.();
      })
      .catch((error: unknown) => follower.fail(error));
  }
}
