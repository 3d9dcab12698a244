import { type PacketKey, packetKey } from "../message/packet-key.ts";
import type { FlowRef } from "../transport/flow.ts";

/** One place that a request may go to: what a registrar finds and a proxy forks over. */
export interface Target {
  /** The contact's URI, which becomes the request-URI. */
  readonly uri: string;
  /** Preference, 0 to 1: higher is tried first. RFC 3261 §20.10 */
  readonly q: number;
  /** The binding's Path, first hop first: goes on as Route. RFC 3327 §5.4 */
  readonly route: readonly string[];
  /** Goes before RFC 3263 and before the 1,300-byte rule. RFC 5626 §5.3 */
  readonly flow?: FlowRef;
  readonly instance?: string;
  readonly regId?: number;
  /** When the binding ends: milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Where a request may go, best first. A registrar or a handler of yours sets it, a proxy or a redirect reads it. */
export const targets: PacketKey<readonly Target[]> = packetKey("targets");

/**
 * To be called by whoever sends to a target and finds that its flow is gone: a 430, or an error of the same meaning. Set by
 * who found the targets and wants to know.
 *
 * RFC 5626 §7
 */
export const targetGone: PacketKey<(target: Target) => void> = packetKey("target gone");
