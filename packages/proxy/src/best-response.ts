import type { Response } from "@sipkit/core";

/**
 * The response that suits best of those which branches have ended with, none of them a success.
 *
 * RFC 3261 §16.7 steps 4, 6 and 7
 */
export class BestResponse {
  /** What the best branch counts as; 0 until there is one. */
  status = 0;
  #response: Response | undefined;
  #unfit = Number.POSITIVE_INFINITY;
  #challenges: Response[] | undefined;

  /** Kept when it suits better than what came before; `response` is left out where a branch ended without one. */
  consider(status: number, response: Response | undefined, isCancelled: boolean): void {
    if (response !== undefined && isChallenge(status)) {
      this.#challenges ??= [];
      this.#challenges.push(response);
    }
    const unfit = unfitness(status, isCancelled);
    if (unfit >= this.#unfit) return;
    this.#unfit = unfit;
    this.status = status;
    this.#response = response;
  }

  /** The response to send on where that status goes upstream; `undefined`: one of our own is due. */
  take(status: number): Response | undefined {
    const best = this.#response;
    if (best === undefined || best.status !== status) return undefined;
    if (isChallenge(status)) mergeChallenges(best, this.#challenges ?? []);
    return best;
  }
}

/**
 * How little a final response that is no success suits as the answer to all branches: the lowest goes upstream.
 *
 * RFC 3261 §16.7 step 6
 */
function unfitness(status: number, cancelled: boolean): number {
  // Any 6xx is chosen: it speaks for the callee everywhere.
  if (status >= 600) return 0;
  // Who sent a CANCEL waits for the 487 that it drew.
  if (cancelled && status === 487) return 1;
  // Else the lowest class, and in it what helps the caller to try again.
  return Math.trunc(status / 100) * 10 + withinClass(status);
}

function withinClass(status: number): number {
  switch (status) {
    case 401:
    case 407:
      return 0;
    case 415:
    case 420:
    case 484:
      return 1;
    // What only tells of one way to the callee, or of our own doing, yields to what a device said.
    case 408:
    case 430:
    case 440:
    case 482:
    case 483:
    case 487:
    case 503:
      return 9;
    default:
      return 5;
  }
}

/** Whether a response asks for credentials. */
function isChallenge(status: number): boolean {
  return status === 401 || status === 407;
}

const CHALLENGE_FIELDS = ["www-authenticate", "proxy-authenticate"] as const;

/**
 * Adds the challenges of the other branches to a 401 or 407: the caller must answer each of them when it tries again.
 *
 * RFC 3261 §16.7 step 7
 */
function mergeChallenges(chosen: Response, all: readonly Response[]): void {
  for (const other of all) {
    if (other === chosen) continue;
    for (const name of CHALLENGE_FIELDS) {
      for (const value of other.headers.getAll(name)) chosen.headers.append(name, value);
    }
  }
}

/**
 * The status to send in place of the chosen one.
 *
 * A 503 says that its sender can serve nothing at all, which is true of one place behind us, not of us. A 430 is
 * between proxies: an endpoint should never see one for a look-up of ours.
 *
 * RFC 3261 §16.7 step 6, RFC 5626 §11.5
 */
export function upstreamStatus(status: number, isLookedUp: boolean): number {
  if (status === 503) return 500;
  return status === 430 && isLookedUp ? 480 : status;
}

/**
 * The status that we answer with ourselves, where what is chosen (0: nothing) is no branch's response. `wasHeld`: whether
 * there was somebody who could have come.
 *
 * RFC 3261 §16.7 step 6, §16.10; RFC 8599 §5.6.2
 */
export function ownStatus(status: number, isCancelled: boolean, wasHeld: boolean): number {
  if (status !== 0 && status !== 408) return status;
  if (isCancelled) return 487;
  return status === 0 && wasHeld ? 480 : 408;
}
