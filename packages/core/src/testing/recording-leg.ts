import { Buffer } from "node:buffer";
import type { Peer, Protocol } from "../arrival.ts";
import type { Clock } from "../clock.ts";
import type { SendingLeg } from "../transport/leg.ts";

/** A message that was sent. */
export interface Recorded {
  /** `clock.now()` when it was sent. */
  readonly at: number;
  readonly wire: string;
  readonly to: Peer;
}

/** A leg that sends nothing and notes what it was given: for tests of what is above it. */
export class RecordingLeg implements SendingLeg {
  readonly protocol: Protocol;
  readonly reliable: boolean;
  readonly address = "192.0.2.1";
  readonly port = 5060;
  readonly sentBy = "192.0.2.1:5060";
  readonly sent: Recorded[] = [];
  readonly #clock: Clock;

  constructor(protocol: Protocol, clock: Clock) {
    this.protocol = protocol;
    this.reliable = protocol !== "udp";
    this.#clock = clock;
  }

  send(message: string | Uint8Array, to: Peer): void {
    const wire = typeof message === "string" ? message : Buffer.from(message).toString("latin1");
    this.sent.push({ at: this.#clock.now(), wire, to });
  }

  /** What was sent as `time method` or `time status`: `["0 INVITE", "500 INVITE"]`. */
  timeline(): readonly string[] {
    return this.sent.map(({ at, wire }) => {
      const [first, second] = wire.split(" ", 2);
      return `${at} ${first === "SIP/2.0" ? second : first}`;
    });
  }
}
