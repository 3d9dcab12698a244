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

/** Who is told of targets that are found while a request is on its way. */
export interface LateTargetsObserver {
  /** Further places, to be tried at once. */
  found(targets: readonly Target[]): void;
  /** Nobody need wait any longer. More may be found all the same, for a request that has no answer by then. */
  settled(): void;
}

/** Targets that are on their way: of devices that must be woken first. */
export interface LateTargets {
  /** How many devices may come, at most. */
  readonly expected: number;
  /**
   * Has them called, and the observer told from then on; perhaps before it returns. Gives what ends that: to be called when
   * the request has its answer, or nothing more can be done for it. To be called once.
   */
  watch(observer: LateTargetsObserver): () => void;
}

/**
 * Set beside `targets`, which may be empty then, by who expects more of them soon. A proxy that can holds the request for
 * them; who doesn't know of it sees a user who has only what is in `targets`, and nobody is woken.
 *
 * RFC 8599 §5.6.2
 */
export const lateTargets: PacketKey<LateTargets> = packetKey("late targets");

/**
 * To be called by whoever sends to a target and finds that its flow is gone: a 430, or an error of the same meaning. Set by
 * who found the targets and wants to know.
 *
 * RFC 5626 §7
 */
export const targetGone: PacketKey<(target: Target) => void> = packetKey("target gone");
