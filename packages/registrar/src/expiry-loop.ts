import { SipError, whenKnown } from "@sipkit/core";
import { recover, runDetached } from "./failures.ts";
import type { Life } from "./life.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** Bindings that expire in one turn of the event loop. */
const EXPIRY_BATCH = 1000;
/** Milliseconds until a store that failed, or had nothing, is asked again. */
const EXPIRY_RETRY = 1000;

/** Removes bindings whose time is over, when the registrar's timer says that there may be some. */
export class ExpiryLoop {
  readonly #life: Life;

  constructor(life: Life) {
    this.#life = life;
  }

  /** A store that is away for now doesn't keep the server from starting: it is asked again. */
  start(): void | Promise<void> {
    const recovered = (cause: unknown): void => {
      if (!(cause instanceof StoreUnavailable)) throw cause;
      this.#askAgain(cause);
    };
    return recover(() => this.#rearm(), recovered);
  }

  /** Removes all that is over, and tells how many there were. */
  run(): number | Promise<number> {
    return whenKnown(this.#batch(), (count) =>
      count < EXPIRY_BATCH ? count : whenKnown(this.run(), (more) => count + more),
    );
  }

  /** The time has come that the timer was set for. */
  wake(): void {
    const failed = (cause: unknown): void => this.#askAgain(cause);
    runDetached(() => whenKnown(this.#batch(), (count) => this.#rearm(count)), failed);
  }

  #batch(): number | Promise<number> {
    const { server, store, tell } = this.#life;
    return whenKnown(store.expire(server.clock.wall(), EXPIRY_BATCH), (expired) => {
      for (const event of expired) tell("expired", event);
      return expired.length;
    });
  }

  /** After the store failed to expire. */
  #askAgain(cause: unknown): void {
    const { server, timer, failures } = this.#life;
    if (cause instanceof StoreUnavailable) failures.reportAway(cause);
    else server.report(new SipError("SIP_STORE", "the location store failed to expire", { cause }));
    timer.arm(server.clock.wall() + EXPIRY_RETRY);
  }

  /** `count`: how many the last batch had. A store that calls for the next one and has nothing for it must wait. */
  #rearm(count = 1): void | Promise<void> {
    const { server, store, timer } = this.#life;
    return whenKnown(store.nextExpiry(), (next) => {
      if (next === undefined) return;
      const now = server.clock.wall();
      timer.arm(next > now || count > 0 ? next : now + EXPIRY_RETRY);
    });
  }
}
