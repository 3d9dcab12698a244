import type { Outlet } from "../transaction/outlet.ts";
import type { TransportLeg } from "../transport/leg.ts";

/** A leg of ours and a peer that it reaches, with what follows when that fails. */
export interface Way extends Outlet {
  readonly leg: TransportLeg;
  /** Where else the request may go when this fails. RFC 3263 §4.3 */
  readonly otherwise?: Way | undefined;
  /** Of a way over UDP: the leg that reaches the same place by TCP, for what is too large for a datagram. §18.1.1 */
  readonly large?: TransportLeg | undefined;
  /** The place of the way before it over another protocol: of use only when that one could not be reached at all. */
  readonly isSamePlace?: boolean;
}
