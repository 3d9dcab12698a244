import { type Channel, channel } from "node:diagnostics_channel";
import type { Leg, Peer } from "../arrival.ts";
import type { Packet } from "../chain/handler.ts";

/** One packet, as published on the `node:diagnostics_channel` named `sipkit:packet`. */
export interface PacketEvent {
  /** `"in"` as it was parsed, before any handler; `"out"` as it is sent. Retransmissions are left out. */
  readonly direction: "in" | "out";
  readonly packet: Packet;
  readonly leg: Leg;
  readonly peer: Peer;
}

/** Publishes a {@link PacketEvent} for every packet. Costs nothing while nobody subscribes. */
export const packetChannel: Channel<unknown, PacketEvent> = channel("sipkit:packet") as Channel<
  unknown,
  PacketEvent
>;
