import { type PacketKey, packetKey } from "../message/packet-key.ts";
import type { FlowRef } from "../transport/flow.ts";

/**
 * Proof that a request belongs to a dialog whose first request we forwarded, or goes to a device whose flow we keep: it
 * carried a Route that we signed.
 */
export interface DialogRoute {
  /** The side that the request goes to: the caller's (`a`) or the callee's (`b`). */
  readonly side: "a" | "b";
  /** How that side is reached; `undefined` where the request-URI tells. */
  readonly flow: FlowRef | undefined;
  /**
   * The Route was a Path that we gave out with a device's registration: the request may open a dialog. RFC 5626 §5.3
   */
  readonly byPath?: true;
}

/**
 * Set by the dispatcher on a request that came with a valid signed Route. An authenticator doesn't challenge such a
 * request, a registrar leaves it alone, a proxy sends it on over `flow`.
 */
export const dialogRoute: PacketKey<DialogRoute> = packetKey("dialog route");
