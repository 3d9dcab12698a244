import type { Outlet, SendTrace } from "./outlet.ts";

/**
 * What is left of a non-INVITE server transaction in the Completed state: enough to answer a retransmission, and nothing
 * of the request.
 *
 * RFC 3261 §17.2.2
 */
export class CompletedAnswer {
  readonly outlet: Outlet;
  readonly #wire: string;
  readonly #trace: SendTrace;

  /** An empty wire string stands for a request that gets no answer (RFC 4320 §4.2). */
  constructor(outlet: Outlet, wire: string, trace: SendTrace) {
    this.outlet = outlet;
    this.#wire = wire;
    this.#trace = trace;
  }

  get state(): "completed" {
    return "completed";
  }

  /** In Completed the final response MUST be sent again whenever the request comes again. */
  retransmitted(): void {
    if (this.#wire === "") return;
    this.#trace(this.#wire, this.outlet, true);
    this.outlet.leg.send(this.#wire, this.outlet.peer);
  }
}
