import { TransactionTimeout, type TransportError } from "../errors.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import type { ClientUser } from "./client-user.ts";
import { footprintOf, SETTLED_BYTES } from "./footprint.ts";
import { Machine, type MachineKeeper } from "./machine.ts";
import type { Outlet } from "./outlet.ts";
import { outcomeOf } from "./transaction-channel.ts";

/** What an INVITE client transaction needs of its table besides. */
export interface InviteClientKeeper extends MachineKeeper {
  /** Sends a CANCEL in a transaction of its own, whose response nobody waits for. */
  sendCancel(cancel: Request, outlet: Outlet): void;
}

/**
 * The INVITE client transaction.
 *
 * RFC 3261 §17.1.1, §9.1, RFC 6026 §7.2
 */
export class InviteClient extends Machine<InviteClientKeeper> {
  #request: Request | undefined;
  #user: ClientUser | undefined;
  #state: "calling" | "proceeding" | "completed" | "accepted" | "terminated" = "calling";
  // Calling: the INVITE. Completed: its ACK.
  #wire = "";
  #interval = 0;
  #cancelled = false;

  constructor(
    key: string,
    request: Request,
    outlet: Outlet,
    user: ClientUser,
    keeper: InviteClientKeeper,
  ) {
    super(key, outlet, footprintOf(request), keeper);
    this.#request = request;
    this.#user = user;
  }

  override get kind(): "inviteClients" {
    return "inviteClients";
  }

  get state(): "calling" | "proceeding" | "completed" | "accepted" | "terminated" {
    return this.#state;
  }

  /** The INVITE; `undefined` once it has its final response. */
  get request(): Request | undefined {
    return this.#request;
  }

  /** Sends the INVITE. The table calls it once the transaction can be found. */
  start(): void {
    // Calling: Timer B with 64·T1 on any transport; Timer A with T1 on unreliable ones.
    if (this.#request !== undefined) this.began(this.#request);
    this.#wire = this.#request?.toWire() ?? "";
    this.failBy("B");
    if (!this.reliable) {
      this.#interval = this.timers.t1;
      this.repeatAfter("A", this.#interval);
    }
    this.send(this.#wire);
  }

  /** A response came that matches. */
  receive(response: Response): void {
    const { status } = response;
    switch (this.#state) {
      case "calling":
      case "proceeding":
        if (status < 200) this.#proceed(response);
        else if (status < 300) this.#accept(response);
        else this.#complete(response);
        return;
      case "completed":
        // A retransmission of the final response MUST have its ACK sent again, and MUST NOT be passed up.
        if (status >= 300) this.resend(this.#wire);
        return;
      case "accepted":
        // Every 2xx in Accepted MUST be passed up; its ACK is the user's to send.
        if (status >= 200 && status < 300) this.#user?.response(response);
        return;
      case "terminated":
        return;
    }
  }

  /**
   * Cancels the INVITE: at once when a provisional response has come, else as soon as one comes. Does nothing after a
   * final response.
   */
  cancel(): void {
    if (this.#cancelled) return;
    if (this.#state !== "calling" && this.#state !== "proceeding") return;
    this.#cancelled = true;
    // Without a provisional response the CANCEL MUST wait for one: it could overtake the INVITE.
    if (this.#state === "proceeding") this.#sendCancel();
  }

  /** Ends it while it is pending: nothing can be sent or come any more. RFC 3261 §17.1.4 */
  fail(error: TransactionTimeout | TransportError): void {
    const user = this.#user;
    this.concluded({ outcome: outcomeOf(error, this.#cancelled), error });
    this.#terminate();
    user?.failed(error);
    user?.ended?.();
  }

  override abandon(): void {
    const user = this.#user;
    this.#terminate();
    user?.ended?.();
  }

  override fired(name: "A" | "B" | "D" | "M" | "cancelled"): void {
    switch (name) {
      case "A":
        // Timer A in Calling: the INVITE again, at intervals that double.
        this.#interval *= 2;
        this.repeatAfter("A", this.#interval);
        this.resend(this.#wire);
        return;
      case "B":
        // Timer B in Calling: the user is told of the timeout; no ACK.
        this.fail(new TransactionTimeout("no response came within 64·T1"));
        return;
      case "cancelled":
        // 64·T1 after the CANCEL without a final response the INVITE is over: an RFC 2543 server sends no 487 (§9.1).
        this.fail(new TransactionTimeout("cancelled, and no final response came within 64·T1"));
        return;
      case "D":
        this.#terminate();
        return;
      case "M": {
        const user = this.#user;
        this.#terminate();
        user?.ended?.();
        return;
      }
    }
  }

  #proceed(response: Response): void {
    if (this.#state === "calling") {
      // The first provisional response ends the retransmissions, and Timer B with them.
      this.#state = "proceeding";
      this.#wire = "";
      this.stopTimers();
      if (this.#cancelled) this.#sendCancel();
    }
    // Every provisional response MUST be passed up.
    this.#user?.response(response);
  }

  #accept(response: Response): void {
    // A 2xx moves to Accepted with Timer M of 64·T1, and MUST be passed up. Its ACK is the user's.
    this.#state = "accepted";
    this.concluded({ outcome: "answered", status: response.status });
    // What the user keeps stays alive until Timer M.
    this.#settle("", this.bytes);
    this.endBy("M");
    this.#user?.response(response);
  }

  #complete(response: Response): void {
    // 300 to 699 moves to Completed: an ACK MUST be sent where the INVITE went, on any transport, and the response be
    // passed up. Timer D: at least 32 s on unreliable transports, 0 on reliable ones.
    const user = this.#user;
    this.#user = undefined;
    this.#state = "completed";
    const outcome = this.#cancelled ? "cancelled" : "answered";
    this.concluded({ outcome, status: response.status });
    const ack = this.#request?.createAck(response).toWire() ?? "";
    this.#settle(ack, SETTLED_BYTES + this.key.length + ack.length);
    if (!this.reliable) this.endBy("D");
    this.sendOwn(ack);
    if (this.reliable) this.#terminate();
    user?.response(response);
    user?.ended?.();
  }

  #sendCancel(): void {
    if (this.#request === undefined) return;
    this.failBy("cancelled");
    this.keeper.sendCancel(this.#request.createCancel(), this.outlet);
  }

  #settle(wire: string, bytes: number): void {
    this.#request = undefined;
    this.#wire = wire;
    this.stopTimers();
    this.keeper.settled(this, bytes);
  }

  #terminate(): void {
    if (this.#state === "terminated") return;
    this.#state = "terminated";
    this.#user = undefined;
    this.#request = undefined;
    this.#wire = "";
    this.stopTimers();
    this.keeper.terminated(this);
  }
}
