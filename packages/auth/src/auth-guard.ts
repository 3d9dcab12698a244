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
 * - `stale`: the password was right, its nonce was used before
 * - `wrong`: a wrong password, or a user who doesn't exist: the only one that is a guess
 * - `foreign`: no answer to a challenge of ours that can still be used, so that no password was looked at
 * - `unknown`: nobody could say, since the store of credentials failed
 */
export type AuthOutcome = "right" | "stale" | "wrong" | "foreign" | "unknown";

/** Whose credentials they say they are: text that a stranger wrote. */
export interface AuthClaim {
  readonly user: string;
  readonly realm: string;
}

/** Whom an authenticator asks before it judges credentials, and tells what they were. */
export interface AuthGuard {
  /** Whether they are judged at all: `undefined`, else what becomes of the request. */
  admit(request: Request, claim: AuthClaim): Verdict;
  /** Once for each that was admitted, with the same claim; and for a token that is right, which isn't guessed at. */
  settle(request: Request, claim: AuthClaim, outcome: AuthOutcome): void;
}

/** Set on a request by who guards it (`Throttle` does), for the authenticators that follow. */
export const authGuard: PacketKey<AuthGuard> = packetKey("authentication guard");

/**
 * Judges, and tells the guard, also when that fails. An object is a proof; `old` is a nonce that can't be used any more, of
 * whatever credentials.
 */
export function judgeGuarded<T extends object | "old" | Exclude<AuthOutcome, "unknown">>(
  guard: AuthGuard,
  request: Request,
  claim: AuthClaim,
  judge: () => Awaitable<T>,
): Awaitable<T> {
  const settle = (judged: T): T => {
    guard.settle(request, claim, outcomeOf(judged));
    return judged;
  };
  const fail = (error: unknown): never => {
    guard.settle(request, claim, "unknown");
    throw error;
  };
  let judged: Awaitable<T>;
  try {
    judged = judge();
  } catch (error) {
    return fail(error);
  }
  return isPromise(judged) ? judged.then(settle, fail) : settle(judged);
}

function outcomeOf(judgement: AuthOutcome | "old" | object): AuthOutcome {
  if (typeof judgement === "object") return "right";
  return judgement === "old" ? "foreign" : judgement;
}
