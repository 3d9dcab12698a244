import { type Handler, type Packet, type Server, SipError, type Verdict } from "@sipkit/core";
import { type Opening, type Weekday, WeeklyHours } from "./weekly-hours.ts";

export type { Opening, Weekday } from "./weekly-hours.ts";

/** When a {@link BusinessHours} lets calls pass. */
export interface BusinessHoursOptions {
  /** The time zone of the hours: `Europe/Berlin`. */
  readonly timeZone: string;
  /** When each day is open; one that is left out is closed: `{ Mon: ["09:00", "17:30"] }`. */
  readonly hours: Readonly<Partial<Record<Weekday, Opening>>>;
  /** Whose calls these are, as addresses-of-record: `sip:sales@example.com`. Default: all users of the server. */
  readonly users?: readonly string[];
}

/**
 * Answers calls outside of business hours with 480, and a Retry-After that says when it opens. Stands before the registrar.
 *
 * Counts `callsOutsideHours`. Keeps nothing of a call.
 *
 * RFC 3261 §20.33, §21.4.18
 *
 * @example
 * new BusinessHours({ timeZone: "Europe/Berlin", hours: { Mon: ["09:00", "17:30"] } });
 */
export class BusinessHours implements Handler {
  readonly name = "BusinessHours";
  readonly #hours: WeeklyHours;
  readonly #users: ReadonlySet<string> | undefined;
  #server: Server | undefined;

  /** Throws a `SipError` `SIP_EXAMPLE_HOURS` for hours that are none. */
  constructor({ timeZone, hours, users }: BusinessHoursOptions) {
    try {
      this.#hours = new WeeklyHours(timeZone, hours);
    } catch (cause) {
      throw new SipError("SIP_EXAMPLE_HOURS", "timeZone and hours must say when it is open", {
        cause,
      });
    }
    this.#users = users && new Set(users);
  }

  /** Runs when the server listens: only now there is a clock. */
  start(server: Server): void {
    this.#server = server;
  }

  receive(packet: Packet): Verdict {
    const server = this.#server;
    if (server === undefined || !packet.isRequest || packet.method !== "INVITE") return;
    // A To tag: the call is going on, and may go on.
    if (packet.toTag !== undefined || !this.#concerns(server.addressOfRecord(packet.uri))) return;
    const minutes = this.#hours.minutesUntilOpen(server.clock.wall());
    if (minutes === 0) return;
    server.count("callsOutsideHours");
    return packet.createResponse(480, {
      reason: "Outside Business Hours",
      headers: { "Retry-After": String(minutes * 60) },
      // Nothing of it is kept: when it is retransmitted, the answer is made again.
      stateless: true,
    });
  }

  #concerns(user: string | undefined): boolean {
    return user !== undefined && (this.#users === undefined || this.#users.has(user));
  }
}
