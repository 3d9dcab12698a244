import type { Leg } from "../arrival.ts";
import { type EventChannel, eventChannel, type TraceEvent } from "../event-channel.ts";
import type { Request } from "../message/request.ts";
import type { NextHop } from "../resolve/resolver.ts";

/** A place that a request may not go to, as published on the `node:diagnostics_channel` named `sipkit:refused-hop`. */
export interface RefusedHopEvent extends TraceEvent {
  readonly request: Request;
  readonly hop: NextHop;
  /** By which it would have gone. */
  readonly leg: Leg;
}

/** Publishes a {@link RefusedHopEvent} where `mayReach` says no. Costs nothing while nobody subscribes. */
export const refusedHopChannel: EventChannel<RefusedHopEvent> = eventChannel("sipkit:refused-hop");
