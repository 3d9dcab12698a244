import type { Leg, Peer } from "../arrival.ts";
import type { TraceEvent } from "../event-channel.ts";
import type { Request } from "../message/request.ts";
import {
  type TransactionEnd,
  type TransactionStarted,
  transactionChannel,
} from "./transaction-channel.ts";

/** Tells of one transaction's begin and end. Made only while somebody listens. */
export class TransactionSpan {
  #started: TransactionStarted | undefined;

  /** It begins. */
  constructor(
    role: "server" | "client",
    request: Request,
    where: TraceEvent & { readonly leg: Leg; readonly peer: Peer },
  ) {
    const { at, node, leg, peer } = where;
    this.#started = {
      phase: "started",
      at,
      node,
      role,
      method: request.method,
      branch: request.branch ?? "",
      callId: request.headers.get("Call-ID") ?? "",
      leg,
      peer,
    };
    transactionChannel.publish(this.#started);
  }

  /** It has ended; what ends it again isn't told of. */
  end(at: number, { outcome, status, error }: TransactionEnd): void {
    if (this.#started === undefined) return;
    const { node, role, method, branch, callId, leg, peer } = this.#started;
    const duration = at - this.#started.at;
    this.#started = undefined;
    // Field by field: to spread an object and override what is in it costs the engine some microseconds.
    transactionChannel.publish({
      phase: "ended",
      at,
      node,
      role,
      method,
      branch,
      callId,
      leg,
      peer,
      outcome,
      status,
      error,
      duration,
    });
  }
}
