import {
  type Awaitable,
  isPromise,
  type PacketKey,
  packetKey,
  type Request,
  type Verdict,
} from "@sipkit/core";

/**
 * What an authenticator found credentials to be.
 *
 * - `right`: they prove the user
 * - `stale`: the password was right, its nonce was too old or used before
 * - `wrong`: a wrong password, or a user who doesn't exist: the only one that is a guess
 * - `foreign`: no answer to a challenge of ours, so that no password was looked at
 * - `unknown`: nobody could say, since the store of credentials failed
 */
export type AuthOutcome = "right" | "stale" | "wrong" | "foreign" | "unknown";

/** Whom an authenticator asks before it judges credentials, and tells what they were. */
export interface AuthGuard {
  /** Whether they are judged at all: `undefined`, else what becomes of the request. */
  admit(request: Request, user: string): Verdict;
  /** Once for each that was admitted. */
  settle(request: Request, user: string, outcome: AuthOutcome): void;
}

/** Set on a request by who guards it (`Throttle` does), for the authenticators that follow. */
export const authGuard: PacketKey<AuthGuard> = packetKey("authentication guard");

/** Judges, and tells the guard, also when that fails. An object is a proof. */
export function judgeGuarded<T extends AuthOutcome | object>(
  guard: AuthGuard,
  request: Request,
  user: string,
  judge: () => Awaitable<T>,
): Awaitable<T> {
  const settle = (outcome: T): T => {
    guard.settle(request, user, typeof outcome === "object" ? "right" : outcome);
    return outcome;
  };
  const fail = (error: unknown): never => {
    guard.settle(request, user, "unknown");
    throw error;
  };
  let outcome: Awaitable<T>;
  try {
    outcome = judge();
  } catch (error) {
    return fail(error);
  }
  return isPromise(outcome) ? outcome.then(settle, fail) : settle(outcome);
}
