import type { Leg, Peer } from "../arrival.ts";
import { type SipError, TransactionTimeout } from "../errors.ts";
import { type EventChannel, eventChannel, type TraceEvent } from "../event-channel.ts";

/** Which transaction it is. */
interface TransactionFacts extends TraceEvent {
  /** `"server"`: the request came to us; `"client"`: it goes out. */
  readonly role: "server" | "client";
  readonly method: string;
  /** Of the topmost Via; empty where an old client sent none. */
  readonly branch: string;
  readonly callId: string;
  readonly leg: Leg;
  /** Where the request came from, or goes to. */
  readonly peer: Peer;
}

/** A transaction begins. */
export interface TransactionStarted extends TransactionFacts {
  readonly phase: "started";
}

/**
 * How a transaction ended.
 *
 * - `"answered"`: by its final response
 * - `"cancelled"`: a CANCEL came or was sent, and no 2xx was faster
 * - `"timeout"`: no final response came in time, or no handler gave one
 * - `"failed"`: the request could not be sent, or its connection was lost
 * - `"dropped"`: a handler said so
 * - `"forwarded"`: a handler sent it on without state, so that nothing is known of its answer
 * - `"closed"`: the server was closed
 */
export type TransactionOutcome =
  | "answered"
  | "cancelled"
  | "timeout"
  | "failed"
  | "dropped"
  | "forwarded"
  | "closed";

/** What came of a transaction. */
export interface TransactionEnd {
  readonly outcome: TransactionOutcome;
  /** Of the final response, where there was one. */
  readonly status?: number | undefined;
  /** Why a client transaction has none. */
  readonly error?: SipError | undefined;
}

/** A transaction has its final response, or will have none. */
export interface TransactionEnded extends TransactionFacts, TransactionEnd {
  readonly phase: "ended";
  /** Since it was started, in milliseconds with fractions. */
  readonly duration: number;
}

/**
 * What is published on the `node:diagnostics_channel` named `sipkit:transaction`: two events a transaction, from its request
 * to its final response. The time after that, in which retransmissions are absorbed, isn't told of. Every request but
 * ACK is one server transaction, also where it was answered at once and left no state; one that began before
 * anybody listened isn't told of.
 */
export type TransactionEvent = TransactionStarted | TransactionEnded;

/** Publishes a {@link TransactionEvent} as transactions begin and end. Costs nothing while nobody subscribes. */
export const transactionChannel: EventChannel<TransactionEvent> =
  eventChannel("sipkit:transaction");

/** How a client transaction ended that has no final response. */
export function outcomeOf(error: SipError, cancelled = false): TransactionOutcome {
  if (error.code === "SIP_CLOSED") return "closed";
  if (cancelled) return "cancelled";
  return error instanceof TransactionTimeout ? "timeout" : "failed";
}
