import type { Peer } from "../arrival.ts";
import type { Clock } from "../clock.ts";

/** How long a place is set aside that doesn't say for how long, in milliseconds. */
const SET_ASIDE = 30_000;

/** The longest that a place may ask for by Retry-After. */
const LONGEST = 300_000;

/** Places that are remembered; of more, the one that failed first is forgotten. */
const MAX_SET_ASIDE = 1_000;

/**
 * Places that failed a moment ago, where there was another one to go to: they are tried last for a while, so that not
 * every request has to find out anew.
 *
 * Deviation: a 503 without Retry-After counts like any other, though it is to be taken for a 500. RFC 3263 makes no
 * difference, and the place is tried all the same when no other is left.
 *
 * RFC 3263 §4.3, RFC 3261 §21.5.4
 */
export class SetAside {
  readonly #clock: Clock;
  readonly #until = new Map<string, number>();
  readonly #watched = new WeakSet<Peer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many are set aside now. */
  get size(): number {
    const now = this.#clock.now();
    for (const [key, until] of this.#until) if (until <= now) this.#until.delete(key);
    return this.#until.size;
  }

  has(place: Peer): boolean {
    if (this.#until.size === 0) return false;
    const key = keyOf(place);
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (until > this.#clock.now()) return true;
    this.#until.delete(key);
    return false;
  }

  /** `time`: milliseconds; bounded. */
  add(place: Peer, time: number = SET_ASIDE): void {
    const key = keyOf(place);
    this.#until.delete(key);
    if (time <= 0) return;
    const oldest = this.#until.size >= MAX_SET_ASIDE ? this.#until.keys().next().value : undefined;
    if (oldest !== undefined) this.#until.delete(oldest);
    this.#until.set(key, this.#clock.now() + Math.min(time, LONGEST));
  }

  /** What can't be sent to this very peer object sets its place aside: nobody else would learn of it. */
  watch(peer: Peer): void {
    this.#watched.add(peer);
  }

  /** Something could not be sent to a peer. */
  failed(peer: Peer): void {
    if (this.#watched.delete(peer)) this.add(peer);
  }

  /** It answered. */
  delete(place: Peer): void {
    if (this.#until.size > 0) this.#until.delete(keyOf(place));
  }

  clear(): void {
    this.#until.clear();
  }
}

function keyOf({ protocol, address, port }: Peer): string {
  return `${protocol}|${address}|${port}`;
}
