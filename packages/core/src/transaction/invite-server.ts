import { detach } from "../message/detach.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import { footprintOf, SETTLED_BYTES } from "./footprint.ts";
import { ackKeyOf, isRfc2543Key, toTagOf } from "./keys.ts";
import { Machine, type MachineKeeper } from "./machine.ts";
import type { Outlet } from "./outlet.ts";
import type { ServerUser } from "./server-user.ts";

/** What an INVITE server transaction needs of its table besides. */
export interface InviteServerKeeper extends MachineKeeper {
  /** From now on the ACK with that key finds the transaction. */
  awaitAck(key: string, transaction: InviteServer): void;
  /** The ACK with that key isn't awaited any more. */
  forgetAck(key: string, transaction: InviteServer): void;
}

/**
 * The INVITE server transaction.
 *
 * RFC 3261 §17.2.1, RFC 6026 §7.1
 */
export class InviteServer extends Machine<InviteServerKeeper> {
  #user: ServerUser | undefined;
  #state: "proceeding" | "completed" | "confirmed" | "accepted" | "terminated" = "proceeding";
  #request: Request | undefined;
  // Proceeding: the last provisional response. Completed: the final one. Accepted: a 2xx that is kept on being sent.
  #wire = "";
  #interval = 0;
  #toTag = "";
  #ackKey = "";

  constructor(
    key: string,
    request: Request,
    outlet: Outlet,
    user: ServerUser,
    keeper: InviteServerKeeper,
  ) {
    super(key, outlet, footprintOf(request), keeper);
    this.#request = request;
    this.#user = user;
  }

  override get kind(): "inviteServers" {
    return "inviteServers";
  }

  get isInvite(): true {
    return true;
  }

  get state(): "proceeding" | "completed" | "confirmed" | "accepted" | "terminated" {
    return this.#state;
  }

  /** The INVITE; `undefined` once it has its final response. */
  get request(): Request | undefined {
    return this.#request;
  }

  /** Who opened it; `undefined` once there is nothing more to tell. */
  get user(): ServerUser | undefined {
    return this.#user;
  }

  /**
   * Sends a response. Gives `false`, and sends nothing, when the INVITE has its final response already; further 2xx
   * pass.
   */
  respond(response: Response): boolean {
    const { status } = response;
    if (this.#state === "proceeding") {
      if (status < 200) this.#proceed(response.toWire());
      else if (status < 300) this.#accept(response.toWire());
      else this.#complete(response);
      return true;
    }
    // In Accepted every 2xx that the user passes MUST be sent.
    if (this.#state === "accepted" && status >= 200 && status < 300) {
      this.send(response.toWire());
      return true;
    }
    return false;
  }

  /**
   * Sends a 2xx that this server itself originates, as `respond` does, and sends it again until its ACK, whatever the
   * transport, since there may be UDP further on. Without an ACK within 64·T1 the user is told.
   *
   * RFC 3261 §13.3.1.4
   */
  keepSending2xx(response: Response): boolean {
    const wire = response.toWire();
    if (response.status >= 300 || response.status < 200 || !this.respond(response)) return false;
    // Only the first is repeated: a second one belongs to another dialog and comes from a forking proxy, not from us.
    if (this.#ackKey !== "" || this.#state !== "accepted") return true;
    this.#settle(wire);
    this.#interval = this.timers.t1;
    this.#ackKey = ackKeyOf(response);
    this.keeper.awaitAck(this.#ackKey, this);
    this.repeatAfter("2xx", this.#interval);
    return true;
  }

  /**
   * Sends a 100 when nothing was sent yet: asked for when the user has not answered within 200 ms.
   */
  trying(): void {
    if (this.#state !== "proceeding" || this.#wire !== "" || this.#request === undefined) return;
    this.#wire = this.#request.createResponse(100).toWire();
    this.sendOwn(this.#wire);
  }

  /** The INVITE came again. */
  retransmitted(): void {
    // In Proceeding the most recent provisional response MUST be sent again, in Completed the final one SHOULD be. In
    // Accepted the retransmission is absorbed: whoever sent the 2xx repeats it.
    if ((this.#state === "proceeding" || this.#state === "completed") && this.#wire !== "") {
      this.resend(this.#wire);
    }
  }

  /** An ACK came that matches. `"passed"`: it goes up to the user; `"absorbed"`: it ends here. */
  acknowledged(ack: Request): "absorbed" | "passed" {
    switch (this.#state) {
      case "accepted":
        // An ACK received in Accepted MUST be passed up, also one of an RFC 2543 client, which has the INVITE's branch.
        this.#stopAwaiting();
        return "passed";
      case "completed":
        if (!this.#isForUs(ack)) return "passed";
        // An ACK in Completed moves to Confirmed, where Timer G is ignored.
        this.#state = "confirmed";
        this.stopTimers();
        this.#wire = "";
        // Timer I absorbs further ACKs: T4 on unreliable transports, 0 on reliable ones.
        if (this.reliable) this.#terminate();
        else {
          this.keeper.settled(this, SETTLED_BYTES + this.key.length);
          this.endBy("I");
          this.#release();
        }
        return "absorbed";
      case "confirmed":
        return this.#isForUs(ack) ? "absorbed" : "passed";
      default:
        return "absorbed";
    }
  }

  override abandon(): void {
    this.#terminate();
  }

  override fired(name: "G" | "H" | "I" | "L" | "2xx"): void {
    switch (name) {
      case "G":
        // Timer G repeats the response at intervals that double up to T2.
        this.#repeat("G");
        return;
      case "2xx":
        // A 2xx is passed to the transport at intervals that start at T1 and double up to T2.
        this.#repeat("2xx");
        return;
      case "H":
        // Timer H in Completed: the ACK never came; terminate, and the user MUST be told.
        this.#fail();
        return;
      case "L":
        // Timer L and the 64·T1 of a 2xx of our own began together.
        if (this.#ackKey !== "") this.#fail();
        else this.#terminate();
        return;
      case "I":
        this.#terminate();
        return;
    }
  }

  #proceed(wire: string): void {
    this.#wire = wire;
    this.send(wire);
  }

  #accept(wire: string): void {
    // A 2xx moves to Accepted, for all transports for Timer L's 64·T1. The machine itself never repeats a 2xx.
    this.#state = "accepted";
    this.#settle("");
    this.endBy("L");
    this.send(wire);
  }

  #complete(response: Response): void {
    const wire = response.toWire();
    // 300 to 699 moves to Completed. Timer H: 64·T1 on all transports; Timer G: T1, only on unreliable ones.
    this.#state = "completed";
    if (isRfc2543Key(this.key)) this.#toTag = detach(toTagOf(response));
    this.#settle(wire);
    this.endBy("H");
    if (!this.reliable) {
      this.#interval = this.timers.t1;
      this.repeatAfter("G", this.#interval);
    }
    this.send(wire);
  }

  #repeat(name: "G" | "2xx"): void {
    this.#interval = Math.min(2 * this.#interval, this.timers.t2);
    this.repeatAfter(name, this.#interval);
    this.resend(this.#wire);
  }

  /** Without the magic cookie 2xx and other finals share a key: the To tag of the response tells whose ACK it is. */
  #isForUs(ack: Request): boolean {
    return !isRfc2543Key(this.key) || toTagOf(ack) === this.#toTag;
  }

  #settle(wire: string): void {
    this.#request = undefined;
    this.#wire = wire;
    // What the user keeps stays alive until it is let go.
    this.keeper.settled(this, this.bytes);
  }

  #stopAwaiting(): void {
    if (this.#ackKey === "") return;
    this.keeper.forgetAck(this.#ackKey, this);
    this.#ackKey = "";
    this.#wire = "";
    this.stopRepeating();
  }

  #fail(): void {
    this.#user?.unacknowledged(this);
    this.#terminate();
  }

  #terminate(): void {
    if (this.#state === "terminated") return;
    this.#state = "terminated";
    this.#stopAwaiting();
    this.stopTimers();
    this.#request = undefined;
    this.#wire = "";
    this.keeper.terminated(this);
    this.#release();
  }

  #release(): void {
    const user = this.#user;
    this.#user = undefined;
    user?.ended(this);
  }
}
