import type { Peer } from "../arrival.ts";
import type { SendingLeg } from "../transport/leg.ts";

/** Where one transaction sends everything that it sends. */
export interface Outlet {
  readonly leg: SendingLeg;
  readonly peer: Peer;
}
