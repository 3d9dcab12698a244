import type { Machine } from "./machine.ts";

/**
 * Who created server transactions. One object can serve them all: what it keeps for a transaction is best let go in
 * `ended`.
 */
export interface ServerUser {
  /** Nothing more will be told, and no response be sent. Called once for each. */
  ended(transaction: Machine): void;
  /**
   * The final response to an INVITE was never acknowledged: Timer H, or 64·T1 of a 2xx that we originated. `ended`
   * follows. RFC 3261 §17.2.1, §13.3.1.4
   */
  unacknowledged(transaction: Machine): void;
}
