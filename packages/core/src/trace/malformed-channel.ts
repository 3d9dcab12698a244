import type { Leg, Peer } from "../arrival.ts";
import type { ParseError } from "../errors.ts";
import { type EventChannel, eventChannel, type TraceEvent } from "../event-channel.ts";

/** Bytes that are no SIP message, as published on the `node:diagnostics_channel` named `sipkit:malformed`. */
export interface MalformedEvent extends TraceEvent {
  /** What is wrong, where, and the status that is owed. */
  readonly error: ParseError;
  /** A datagram, or what was read of the message at fault on a stream: whatever a stranger wrote, not to be changed. */
  readonly bytes: Uint8Array;
  readonly leg: Leg;
  readonly peer: Peer;
}

/** Publishes a {@link MalformedEvent} for what is refused before it is a packet. Costs nothing while nobody subscribes. */
export const malformedChannel: EventChannel<MalformedEvent> = eventChannel("sipkit:malformed");
