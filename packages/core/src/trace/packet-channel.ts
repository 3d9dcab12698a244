import type { Leg, Peer } from "../arrival.ts";
import type { Packet } from "../chain/handler.ts";
import { type EventChannel, eventChannel, type TraceEvent } from "../event-channel.ts";

/** One packet, as published on the `node:diagnostics_channel` named `sipkit:packet`. */
export interface PacketEvent extends TraceEvent {
  /** `"in"` as it was parsed, before any handler; `"out"` as it is sent. */
  readonly direction: "in" | "out";
  /** The whole packet, credentials included: the dispatcher's own, to be read and not changed. */
  readonly packet: Packet;
  /**
   * Whether it went the same way before, as far as a transaction tells. What comes again counts as new when it is a
   * provisional response, which may well say the same twice; a request whose answer left no state; and what a stateless
   * proxy passes on.
   */
  readonly retransmission: boolean;
  /** Its length in bytes. */
  readonly size: number;
  readonly leg: Leg;
  readonly peer: Peer;
}

/**
 * Publishes a {@link PacketEvent} for every message, also for those that no handler sees: retransmissions, a 100, the ACK
 * to an answer that is no 2xx, a CANCEL. Costs nothing while nobody subscribes.
 */
export const packetChannel: EventChannel<PacketEvent> = eventChannel("sipkit:packet");
