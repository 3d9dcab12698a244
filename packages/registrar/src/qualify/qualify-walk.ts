import { type Awaitable, SipError, whenKnown } from "@sipkit/core";
import type { LocationStore, StoredUser } from "../location-store.ts";

/** Milliseconds for which a count of the users holds. */
const COUNT_HOLDS = 1000;
/** Users that a store has, at least, for all that is known where it doesn't count: it may have them any time. */
const LEAST_GUESS = 1000;

/** A part of a walk. */
export interface WalkedPage {
  readonly users: readonly StoredUser[];
  /** Whether it was the last one. */
  readonly isLast: boolean;
}

/** Goes through the users of a store again and again, some at a time, and knows about how many there are. */
export class QualifyWalk {
  readonly #store: LocationStore;
  #after: string | undefined;
  /** Of this walk, and of the one before. */
  #seen = 0;
  #seenBefore = 0;
  #count: number | undefined;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(store: LocationStore) {
    this.#store = store;
  }

  /** How many users there are, for all that is known. */
  get users(): number {
    if (this.#store.counts !== undefined) return this.#count ?? 0;
    return Math.max(LEAST_GUESS, this.#seenBefore, this.#seen);
  }

  /** Whether this walk has met fewer than it was made for: of a count some may have gone since. */
  get foundFew(): boolean {
    return this.#seen * (this.#store.counts === undefined ? 1 : 2) < this.users;
  }

  /** Counts anew where that was long ago. */
  recount(now: number): Awaitable<void> {
    if (this.#store.counts === undefined || now < this.#countedAt + COUNT_HOLDS) return;
    this.#countedAt = now;
    return whenKnown(this.#store.counts(), ({ users }) => {
      this.#count = users;
    });
  }

  /** The next page. After the last one it begins anew. */
  next(limit: number): Awaitable<WalkedPage> {
    return whenKnown(this.#store.list({ after: this.#after, limit }), ({ users, next }) => {
      this.#seen += users.length;
      this.#after = next;
      return { users, isLast: next === undefined };
    });
  }

  /** To be called after the last page. */
  ended(): void {
    this.#seenBefore = this.#seen;
    this.#seen = 0;
  }

  /** Begins anew where the store no longer knows how far it was. */
  failed(cause: unknown): void {
    if (cause instanceof SipError && cause.code === "SIP_BAD_CURSOR") this.#after = undefined;
  }
}
