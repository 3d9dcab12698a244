import { type EventChannel, eventChannel, type TraceEvent } from "../event-channel.ts";
import type { Packet, Verdict } from "./handler.ts";

/** One step of a chain, as published on the `node:diagnostics_channel` named `sipkit:chain`. */
export interface ChainStep extends TraceEvent {
  readonly packet: Packet;
  /** The handler's name. A nested chain has a step of its own, after those of its members. */
  readonly handler: string;
  /** What it said; `undefined` when it passed the packet on or threw. */
  readonly verdict: Verdict;
  /** What it threw, when it did. */
  readonly error: unknown;
  /** How long it took, in milliseconds with fractions; an asynchronous handler's waiting included. */
  readonly duration: number;
}

/** Publishes a {@link ChainStep} for every handler that a packet meets. Costs nothing while nobody subscribes. */
export const chainChannel: EventChannel<ChainStep> = eventChannel("sipkit:chain");
