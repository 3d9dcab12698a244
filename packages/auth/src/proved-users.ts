import { KnownSenders } from "./known-senders.ts";
import { type Origin, pairKey } from "./origin.ts";

/** Which users proved themselves lately, and from where. */
export class ProvedUsers {
  /** By connection or address and port, and by the phone's Call-ID. */
  readonly #flows: KnownSenders;
  /** By host and user, and by host and the name in From. */
  readonly #places: KnownSenders;

  /** `knownFor` in milliseconds; `max` of each kind; `forgotten` is called when one is forgotten before its time. */
  constructor(knownFor: number, max: number, forgotten: () => void) {
    this.#flows = new KnownSenders(knownFor, max, forgotten);
    this.#places = new KnownSenders(knownFor, max, forgotten);
  }

  /** Whether a sender is one that the user proved himself from. */
  isSender(user: string, { flow, phone }: Origin, now: number): boolean {
    if (this.#flows.whose(flow, now) === user) return true;
    return phone !== undefined && this.#flows.whose(phone, now) === user;
  }

  /** Whether the user proved himself from that host, whatever the port. */
  isAt(host: string, user: string, now: number): boolean {
    return this.#places.whose(pairKey(host, user), now) === user;
  }

  add(user: string, { host, flow, phone, claim }: Origin, now: number): void {
    this.#flows.add(flow, user, now);
    if (phone !== undefined) this.#flows.add(phone, user, now);
    this.#places.add(pairKey(host, user), user, now);
    if (claim !== undefined) this.#places.add(claim, user, now);
  }

  /** A sender that was the user's, and had it wrong, isn't any more. */
  distrust(user: string, { flow, phone }: Origin, now: number): void {
    for (const sender of [flow, phone]) {
      if (sender !== undefined && this.#flows.whose(sender, now) === user) {
        this.#flows.delete(sender);
      }
    }
  }

  /**
   * Whose bucket a request is taken out of. Who is known has one of his own, so that his neighbours can't empty it: by
   * the way he comes, or by the name that he claims, which is why that one is no deeper than theirs.
   */
  bucketOf({ host, flow, phone, claim }: Origin, now: number): string {
    if (this.#flows.whose(flow, now) !== undefined) return flow;
    if (phone !== undefined && this.#flows.whose(phone, now) !== undefined) return phone;
    return claim === undefined || this.#places.whose(claim, now) === undefined ? host : claim;
  }
}
