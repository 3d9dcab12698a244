import { Reject, type Server, SipError } from "@sipkit/core";
import { LoopingContact } from "./contact-requests.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** What a refused REGISTER is counted as in `counters()`. */
const COUNTERS: ReadonlyMap<number, string> = new Map([
  [403, "registrationsOverLimit"],
  [421, "registrationsWithoutFlow"],
  [423, "registrationsTooBrief"],
  [439, "registrationsThroughDeafHop"],
  [500, "registrationsOutOfOrder"],
  [555, "registrationsForUnknownPush"],
]);

/** Seconds after which a device may find room in a store that was full. */
const ROOM_AFTER = "60";

/** Turns what is thrown while a request is served, by the rules or by the store, into answers and counters. */
export class RegisterFailures {
  readonly #server: Server;
  #isStoreAway = false;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Counts a REGISTER that failed, and gives what is to be thrown: a full store is no fault to report each time. */
  readonly ofUpdate = (cause: unknown): unknown => {
    if (cause instanceof LoopingContact) {
      this.#server.count("registrationsLeadingBack");
      return cause;
    }
    if (cause instanceof Reject) {
      const counter = COUNTERS.get(cause.status);
      if (counter !== undefined) this.#server.count(counter);
      return cause;
    }
    if (cause instanceof SipError && cause.code === "SIP_STORE_FULL") {
      this.#server.count("registrationsStoreFull");
      const headers = { "Retry-After": ROOM_AFTER };
      return new Reject(503, { reason: "Location Store Full", headers, cause });
    }
    return this.ofRead(cause);
  };

  /** The same of a request that only read. */
  readonly ofRead = (cause: unknown): unknown => {
    if (!(cause instanceof StoreUnavailable)) return cause;
    this.#server.count("storeUnavailable");
    this.reportAway(cause);
    const headers = { "Retry-After": String(cause.retryAfter) };
    return new Reject(503, { reason: "Location Store Unavailable", headers, cause });
  };

  /** Tells the operator once, until the store has written again. */
  reportAway(cause: StoreUnavailable): void {
    if (this.#isStoreAway) return;
    this.#isStoreAway = true;
    this.#server.report(cause);
  }

  /** To be called when the store has written. */
  storeIsBack(): void {
    this.#isStoreAway = false;
  }
}
