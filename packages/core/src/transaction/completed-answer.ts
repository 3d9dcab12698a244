import type { Outlet } from "./outlet.ts";

/**
 * What is left of a non-INVITE server transaction in the Completed state: enough to answer a retransmission, and nothing
 * of the request.
 *
 * RFC 3261 §17.2.2
 */
export class CompletedAnswer {
  readonly key: string;
  readonly outlet: Outlet;
  /** The number of its Timer J. */
  timer = 0;
  readonly #wire: string;

  /** An empty wire string stands for a request that gets no answer (RFC 4320 §4.2). */
  constructor(key: string, outlet: Outlet, wire: string) {
    this.key = key;
    this.outlet = outlet;
    this.#wire = wire;
  }

  get state(): "completed" {
    return "completed";
  }

  /** What it keeps alive, in bytes. */
  get bytes(): number {
    return ANSWER_BYTES + this.key.length + this.#wire.length;
  }

  /** In Completed the final response MUST be sent again whenever the request comes again. */
  retransmitted(): void {
    if (this.#wire !== "") this.outlet.leg.send(this.#wire, this.outlet.peer);
  }
}

// The record, its outlet and peer, its places in the map and in Timer J's queue, and two strings' heads.
const ANSWER_BYTES = 320;
