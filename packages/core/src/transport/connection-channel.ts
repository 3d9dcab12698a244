import type { Peer } from "../arrival.ts";
import { type EventChannel, eventChannel, type TraceEvent } from "../event-channel.ts";

/** What happened to a stream connection, as published on the `node:diagnostics_channel` named `sipkit:connection`. */
export interface ConnectionEvent extends TraceEvent {
  /**
   * - `"accepted"`: the other side opened it, and it can carry SIP
   * - `"dialled"`: we are opening it; `"opened"` or `"failed"` follows
   * - `"opened"`: it can carry SIP
   * - `"refused"`: one more than the bounds allow: closed as it came, or not opened
   * - `"failed"`: it did not come about
   * - `"closed"`: nothing more is read from it or sent to it
   */
  readonly what: "accepted" | "dialled" | "opened" | "refused" | "failed" | "closed";
  readonly peer: Peer;
  /** Its number; `undefined` where it never had one. */
  readonly id: number | undefined;
  /** Of what was refused, failed or closed. */
  readonly why: string | undefined;
}

/** Publishes a {@link ConnectionEvent} as stream connections come and go. Costs nothing while nobody subscribes. */
export const connectionChannel: EventChannel<ConnectionEvent> = eventChannel("sipkit:connection");
