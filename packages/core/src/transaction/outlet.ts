import type { Peer } from "../arrival.ts";
import type { SendingLeg } from "../transport/leg.ts";

/** Where one transaction sends everything that it sends. */
export interface Outlet {
  readonly leg: SendingLeg;
  readonly peer: Peer;
}

/**
 * Told of what transactions send by themselves, before it goes out: what is repeated, and what only they make (a 100, the
 * ACK to a final response other than 2xx, a CANCEL).
 */
export type SendTrace = (wire: string, outlet: Outlet, retransmission: boolean) => void;
