import type { Binding } from "./binding.ts";

/**
 * What an address-of-record's bindings become. Gets those that are kept now, gives those that shall be kept, in their
 * order; the very array that it got: nothing is written. It has no effects: a store may run it again when somebody
 * else was faster.
 */
export type BindingChange = (bindings: readonly Binding[]) => readonly Binding[];

/** A binding whose time was over, and whose it was. */
export interface ExpiredBinding {
  readonly addressOfRecord: string;
  readonly binding: Binding;
}

/** Which users a page shall have. */
export interface ListRange {
  /** `next` of the page before; left out: the first page. */
  readonly after?: string | undefined;
  /** Users on the page, at most. */
  readonly limit: number;
}

/** A user, and all of her bindings. */
export interface StoredUser {
  readonly addressOfRecord: string;
  readonly bindings: readonly Binding[];
}

/** Some of the users who have bindings. */
export interface UserPage {
  readonly users: readonly StoredUser[];
  /** A text of the store's own, for `after`; left out: there are no more. */
  readonly next?: string;
}

/** How much a store has. */
export interface StoreCounts {
  /** Addresses-of-record that have bindings. */
  readonly users: number;
  /** Left out by a store that doesn't know. */
  readonly bindings?: number;
}

/**
 * Where bindings are kept, by address-of-record. A store that is near answers at once, one that is far by a promise.
 *
 * A key is any string (`__proto__`, spaces, quotes, no ASCII): users choose them. What is handed in and out is never
 * shared: whoever changes it changes nothing in the store. A store knows no time: it may give bindings whose time is
 * over until `expire` is called, and may drop them by itself.
 *
 * Failures are thrown, or reject; then nothing was written. A store that takes no more throws a `SipError` of code
 * `SIP_STORE_FULL`. One that is out of reach throws a `StoreUnavailable`: an update was made whole then, or not at all.
 *
 * `describeLocationStore` of `@sipkit/registrar/testing` checks all of this.
 */
export interface LocationStore {
  /**
   * The bindings as they are, in the order that the last update gave them. `undefined`: nobody knows this
   * address-of-record; an empty list: it had bindings once. A store may forget those who have none.
   */
  read(
    addressOfRecord: string,
  ): readonly Binding[] | undefined | Promise<readonly Binding[] | undefined>;
  /**
   * Changes the bindings of one address-of-record, all of them or none, no other update of the same one in between.
   * Gives what is kept then. What `change` throws comes out, and nothing is written.
   */
  update(
    addressOfRecord: string,
    change: BindingChange,
  ): readonly Binding[] | Promise<readonly Binding[]>;
  /**
   * Removes bindings with `expiresAt <= now`, the earliest first and at most `limit` of them, and gives them in that
   * order. Each is given to one caller alone. The cost follows what is due, not what is kept.
   */
  expire(
    now: number,
    limit: number,
  ): readonly ExpiredBinding[] | Promise<readonly ExpiredBinding[]>;
  /**
   * When `expire` is worth its call: never later than the first binding's end, and later than `now` once
   * `expire(now)` has found nothing more. `undefined`: nothing is kept.
   */
  nextExpiry(): number | undefined | Promise<number | undefined>;
  /**
   * Users who have bindings, a page of them, in an order of the store's own. Who has some from the first page to the
   * last is on one of them, whatever comes and goes meanwhile. A page may have fewer than `limit` users, even none,
   * before the last one; its cost follows `limit`, not what is kept. An `after` that no page gave throws a `SipError`
   * of code `SIP_BAD_CURSOR`.
   */
  list(range: ListRange): UserPage | Promise<UserPage>;
  /** How much is kept, at no cost to speak of; what is over and not expired yet may count. */
  counts?(): StoreCounts | Promise<StoreCounts>;
  /** Lets go of connections and files. */
  close?(): void | Promise<void>;
}
