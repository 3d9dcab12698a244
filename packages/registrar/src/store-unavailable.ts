import { SipError } from "@sipkit/core";

/** What a {@link StoreUnavailable} may carry besides its message. */
export interface StoreUnavailableOptions {
  readonly cause?: unknown;
  /** Seconds until it is worth asking again. Default: 5. */
  readonly retryAfter?: number;
}

/**
 * Thrown by a `LocationStore` that can't be reached, or not in time, for now: requests that need it are answered 503
 * with Retry-After. What was to be written may have been; it is written whole or not at all.
 *
 * RFC 3261 §21.5.4
 *
 * @example
 * throw new StoreUnavailable("the database refuses connections", { cause });
 */
export class StoreUnavailable extends SipError {
  readonly retryAfter: number;

  constructor(message: string, { cause, retryAfter = 5 }: StoreUnavailableOptions = {}) {
    super("SIP_STORE_UNAVAILABLE", message, { cause, stack: false });
    this.retryAfter = retryAfter;
  }
}
