import type { Connection, Leg, Peer } from "../arrival.ts";
import type { Method } from "../message/method.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import type { Server } from "./server.ts";

/** What walks a chain. Narrow it by `packet.isRequest`, never by `instanceof`. */
export type Packet = Request | Response;

/** A verdict that ends the chain. */
export type Claim = Response | "forwarded" | "later" | "drop";

/**
 * What a handler says of a packet.
 *
 * - a final `Response`: handled, the dispatcher sends it (a 2xx to INVITE again and again until its ACK)
 * - `"later"`: handled, answered through `dispatcher.deliver`; the transaction waits and is watched
 * - `"forwarded"`: handled, sent on; no state stays here
 * - `"drop"`: ends here, nothing is sent and nothing kept
 * - `false`, `undefined` or nothing: not mine, the next handler gets it
 */
export type Verdict =
  | Claim
  | false
  | undefined
  // biome-ignore lint/suspicious/noConfusingVoidType: a logger that returns nothing is a handler
  | void;

/** A verdict, now or later. */
export type Outcome = Verdict | Promise<Verdict>;

/** A handler without state of its own. */
export type Receive = (packet: Packet, leg: Leg, from: Peer) => Outcome;

/** One link of a receive chain. */
export interface Handler {
  /** How traces and errors call it. Default: the class's or function's name. */
  readonly name?: string;
  /** What it adds to the Allow header of the dispatcher's own answers. */
  readonly allows?: readonly Method[];
  /**
   * Whether a CANCEL that matches no transaction walks the chain, as a proxy that keeps none needs it. Default: the
   * dispatcher answers it with 481. RFC 3261 §16.11
   */
  readonly takesCancel?: boolean;
  receive(packet: Packet, leg: Leg, from: Peer): Outcome;
  /**
   * The twin of `receive` on the way out: synchronous, in reverse order, once a message, before our own Via goes on. When
   * a request goes to another place after a failure, or by TCP because it has become too large for UDP, that is another
   * message, made of a fresh copy. Never for a retransmission, a 100, or a hop-by-hop ACK or CANCEL.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a method that returns nothing
  beforeSend?(packet: Packet, leg: Leg, to: Peer): undefined | void;
  /**
   * A connection has ended, whoever ended it: what is kept for it can go. Synchronous; called once for each, from when
   * handlers have started until they are closed.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a method that returns nothing
  connectionClosed?(connection: Connection, leg: Leg): undefined | void;
  /** Runs once on `dispatcher.listen()`: how a handler gets its clock. */
  start?(server: Server): void | Promise<void>;
  /** Runs once on `dispatcher.close()`: let go of timers, watchers and stores. */
  close?(): void | Promise<void>;
}

export type AnyHandler = Handler | Receive;
