import {
  isPromise,
  type Outcome,
  ParseError,
  Reject,
  type Request,
  reasonPhrase,
  type Verdict,
} from "@sipkit/core";
import type { Registrations } from "./registrations.ts";

/** Reasons that are counted each by itself; a store of somebody else's may give its own. */
const MOST_REASONS = 50;
const OTHERS = "others";

/** Counts how REGISTERs were answered. */
export class RegisterTally {
  #accepted = 0;
  readonly #refused = new Map<string, number>();

  get accepted(): number {
    return this.#accepted;
  }

  get refused(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#refused);
  }

  /** Has a REGISTER answered, and counts the answer. */
  answer(registrations: Registrations, request: Request): Outcome {
    let outcome: Outcome;
    try {
      outcome = registrations.answer(request);
    } catch (cause) {
      return this.#thrown(cause);
    }
    return isPromise(outcome)
      ? outcome.then(this.#answered, this.#thrown)
      : this.#answered(outcome);
  }

  readonly #answered = (verdict: Verdict): Verdict => {
    if (typeof verdict !== "object") return verdict;
    const { status, reason } = verdict;
    if (status < 300) this.#accepted += 1;
    else this.#refuse(`${status} ${reason}`);
    return verdict;
  };

  readonly #thrown = (cause: unknown): never => {
    // What a ParseError says quotes the sender.
    const status = cause instanceof Reject || cause instanceof ParseError ? cause.status : 500;
    const { reason = reasonPhrase(status) } = cause instanceof Reject ? cause.options : {};
    this.#refuse(`${status} ${reason}`);
    throw cause;
  };

  #refuse(reason: string): void {
    const isRoom = this.#refused.size < MOST_REASONS || this.#refused.has(reason);
    const key = isRoom ? reason : OTHERS;
    this.#refused.set(key, (this.#refused.get(key) ?? 0) + 1);
  }
}
