import { type PacketKey, packetKey } from "../message/packet-key.ts";
import type { FlowRef } from "../transport/flow.ts";

/** Proof that a request belongs to a dialog whose first request we forwarded: it carried a Route that we signed. */
export interface DialogRoute {
  /** The side that the request goes to: the caller's (`a`) or the callee's (`b`). */
  readonly side: "a" | "b";
  /** How that side is reached; `undefined` where the request-URI tells. */
  readonly flow: FlowRef | undefined;
}

/**
 * Set by the dispatcher on a request that came with a valid signed Route. An authenticator doesn't challenge such a
 * request, a registrar leaves it alone, a proxy sends it on over `flow`.
 */
export const dialogRoute: PacketKey<DialogRoute> = packetKey("dialog route");
