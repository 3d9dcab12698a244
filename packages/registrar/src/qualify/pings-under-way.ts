import type { Server, SipError, Timer } from "@sipkit/core";
import { optionsTo, Ping, type PingKeeper, targetOfPing } from "./ping.ts";
import type { QualifySettings } from "./qualify-options.ts";

/** Who is told how pings end. Each one ends once by `answered` or `withdrawn`, or is `unanswered` first. */
export interface PingOutcomes {
  answered(ping: Ping, status: number): void;
  /** Its time is over, or it could not be sent; it may be answered yet. */
  unanswered(ping: Ping): void;
  /** It was not sent, and its binding can't help that. */
  withdrawn(ping: Ping): void;
  /** There is room for another. */
  room(): void;
}

/** What a request of ours fails by that says nothing of whom it was for. */
const OWN_FAULTS: readonly string[] = ["SIP_CLOSED", "SIP_NOT_LISTENING", "SIP_NO_TRANSACTION"];

/**
 * The pings that have been sent, no more at once than `maxPings`. A ping that has timed out is one of them as long as its
 * transaction lasts: 64·T1. All time out after equally long, so one timer, for the oldest, is enough.
 */
export class PingsUnderWay implements PingKeeper {
  readonly #server: Server;
  readonly #settings: QualifySettings;
  readonly #outcomes: PingOutcomes;
  /** Those in time, the oldest first. */
  readonly #inTime = new Set<Ping>();
  #size = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(server: Server, settings: QualifySettings, outcomes: PingOutcomes) {
    this.#server = server;
    this.#settings = settings;
    this.#outcomes = outcomes;
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#settings.maxPings;
  }

  send(about: Pick<Ping, "addressOfRecord" | "binding" | "begun">): void {
    const { clock, random } = this.#server;
    const request = optionsTo(about.addressOfRecord, about.binding, () => random.token());
    const ping = new Ping(about, clock.now(), this);
    this.#server.count("pings");
    this.#size += 1;
    this.#inTime.add(ping);
    this.#arm();
    this.#server.request(request, { target: targetOfPing(about.binding), observer: ping });
  }

  answered(ping: Ping, status: number): void {
    this.#end(ping);
    if (!this.#isClosed) this.#outcomes.answered(ping, status);
    this.#leave();
  }

  failed(ping: Ping, { code }: SipError): void {
    if (this.#end(ping)) {
      if (OWN_FAULTS.includes(code)) this.#outcomes.withdrawn(ping);
      else this.#outcomes.unanswered(ping);
    }
    this.#leave();
  }

  /** Lets go of the timer; what becomes of the pings nobody is told any more. */
  close(): void {
    this.#isClosed = true;
    this.#inTime.clear();
    this.#arm();
  }

  #leave(): void {
    this.#size -= 1;
    if (!this.#isClosed) this.#outcomes.room();
  }

  /** Tells whether it was in time. */
  #end(ping: Ping): boolean {
    const wasInTime = this.#inTime.delete(ping);
    this.#arm();
    return wasInTime;
  }

  /** Sets the timer for the oldest ping; one that is set already runs out before that. */
  #arm(): void {
    if (this.#inTime.size === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    if (this.#timer !== undefined) return;
    const [oldest] = this.#inTime;
    if (oldest === undefined) return;
    const left = oldest.sentAt + this.#settings.timeout - this.#server.clock.now();
    this.#timer = this.#server.clock.setTimer(Math.ceil(Math.max(0, left)), () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    const due = this.#server.clock.now() - this.#settings.timeout;
    for (const ping of this.#inTime) {
      if (ping.sentAt > due) break;
      this.#inTime.delete(ping);
      this.#outcomes.unanswered(ping);
    }
    this.#arm();
  }
}
