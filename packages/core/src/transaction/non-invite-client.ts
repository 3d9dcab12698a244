import { TransactionTimeout, type TransportError } from "../errors.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import type { ClientUser } from "./client-user.ts";
import { footprintOf, SETTLED_BYTES } from "./footprint.ts";
import { Machine, type MachineKeeper } from "./machine.ts";
import type { Outlet } from "./outlet.ts";
import { outcomeOf } from "./transaction-channel.ts";

/**
 * The non-INVITE client transaction.
 *
 * RFC 3261 §17.1.2
 */
export class NonInviteClient extends Machine {
  #request: Request | undefined;
  #user: ClientUser | undefined;
  #state: "trying" | "proceeding" | "completed" | "terminated" = "trying";
  #wire = "";
  #interval = 0;

  constructor(
    key: string,
    request: Request,
    outlet: Outlet,
    user: ClientUser | undefined,
    keeper: MachineKeeper,
  ) {
    super(key, outlet, footprintOf(request), keeper);
    this.#request = request;
    this.#user = user;
  }

  override get kind(): "nonInviteClients" {
    return "nonInviteClients";
  }

  get state(): "trying" | "proceeding" | "completed" | "terminated" {
    return this.#state;
  }

  /** The request; `undefined` once it has its final response. */
  get request(): Request | undefined {
    return this.#request;
  }

  /** Sends the request. The table calls it once the transaction can be found. */
  start(): void {
    // Trying: Timer F with 64·T1; on unreliable transports Timer E with T1.
    if (this.#request !== undefined) this.began(this.#request);
    this.#wire = this.#request?.toWire() ?? "";
    this.failBy("F");
    if (!this.reliable) {
      this.#interval = this.timers.t1;
      this.repeatAfter("E", this.#interval);
    }
    this.send(this.#wire);
  }

  /** A response came that matches. */
  receive(response: Response): void {
    // In Completed a response is a retransmission, which Timer K's state absorbs.
    if (this.#state !== "trying" && this.#state !== "proceeding") return;
    if (response.status < 200) {
      // A provisional response MUST be passed up. Timer E goes on, at intervals of T2.
      this.#state = "proceeding";
      this.#user?.response(response);
      return;
    }
    // A final response MUST be passed up and moves to Completed: Timer K is T4 on unreliable transports, 0 on reliable
    // ones.
    const user = this.#leave();
    this.concluded({ outcome: "answered", status: response.status });
    this.#state = "completed";
    if (this.reliable) this.#terminate();
    else {
      this.keeper.settled(this, SETTLED_BYTES + this.key.length);
      this.endBy("K");
    }
    user?.response(response);
    user?.ended?.();
  }

  /** Only an INVITE can be cancelled (§9.1): a request of another method is left to end by itself. */
  cancel(): void {}

  /** Ends it while it is pending: nothing can be sent or come any more. RFC 3261 §17.1.4 */
  fail(error: TransactionTimeout | TransportError): void {
    const user = this.#leave();
    this.concluded({ outcome: outcomeOf(error), error });
    this.#terminate();
    user?.failed(error);
    user?.ended?.();
  }

  override abandon(): void {
    const user = this.#leave();
    this.#terminate();
    user?.ended?.();
  }

  override fired(name: "E" | "F" | "K"): void {
    switch (name) {
      case "E":
        // Timer E: the request again; the interval doubles up to T2 in Trying and is T2 in Proceeding.
        this.#interval =
          this.#state === "proceeding"
            ? this.timers.t2
            : Math.min(2 * this.#interval, this.timers.t2);
        this.repeatAfter("E", this.#interval);
        this.resend(this.#wire);
        return;
      case "F":
        // Timer F in Trying or Proceeding: the user MUST be told of the timeout; terminate.
        this.fail(new TransactionTimeout("no final response came within 64·T1"));
        return;
      case "K":
        this.#terminate();
        return;
    }
  }

  /** Stops everything that pending means, and gives the user, who is let go. */
  #leave(): ClientUser | undefined {
    const user = this.#user;
    this.#user = undefined;
    this.#request = undefined;
    this.#wire = "";
    this.stopTimers();
    return user;
  }

  #terminate(): void {
    if (this.#state === "terminated") return;
    this.#state = "terminated";
    this.stopTimers();
    this.keeper.terminated(this);
  }
}
