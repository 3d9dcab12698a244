import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import { footprintOf } from "./footprint.ts";
import { Machine, type MachineKeeper } from "./machine.ts";
import type { Outlet } from "./outlet.ts";
import type { ServerUser } from "./server-user.ts";

/** What a non-INVITE server transaction needs of its table besides. */
export interface NonInviteServerKeeper extends MachineKeeper {
  /** The machine has entered Completed: `wire` answers retransmissions in its place until Timer J. */
  answered(transaction: NonInviteServer, wire: string): void;
}

/**
 * The non-INVITE server transaction until its final response; what is left of it then is a `CompletedAnswer`.
 *
 * RFC 3261 §17.2.2, RFC 4320 §4
 */
export class NonInviteServer extends Machine<NonInviteServerKeeper> {
  /** Who opened it. */
  readonly user: ServerUser;
  readonly #since: number;
  #state: "trying" | "proceeding" | "completed" | "terminated" = "trying";
  #request: Request | undefined;
  #provisional = "";

  constructor(
    key: string,
    request: Request,
    outlet: Outlet,
    user: ServerUser,
    keeper: NonInviteServerKeeper,
  ) {
    super(key, outlet, footprintOf(request), keeper);
    this.#request = request;
    this.user = user;
    this.#since = this.timers.now();
  }

  override get kind(): "nonInviteServers" {
    return "nonInviteServers";
  }

  get isInvite(): false {
    return false;
  }

  get state(): "trying" | "proceeding" | "completed" | "terminated" {
    return this.#state;
  }

  /** The request; `undefined` once it has its final response. */
  get request(): Request | undefined {
    return this.#request;
  }

  /**
   * Sends a response. Gives `false`, and sends nothing, when the request has its final response already or when the
   * response must not be sent to a request other than INVITE: a 101 to 199, a 100 before its time, a 408.
   */
  respond(response: Response): boolean {
    if (this.#state !== "trying" && this.#state !== "proceeding") return false;
    const { status } = response;
    if (status < 200) return this.#proceed(response);
    // A 408 MUST NOT be sent (RFC 4320 §4.2): it would come too late. The transaction completes without an answer.
    const wire = status === 408 ? "" : response.toWire();
    // A final response moves to Completed; other final responses MUST be discarded there.
    this.#state = "completed";
    this.#request = undefined;
    this.keeper.answered(this, wire);
    if (wire !== "") this.send(wire);
    this.user.ended(this);
    return wire !== "";
  }

  /** Sends a 100 when nothing was sent yet and its time has come. RFC 4320 §4.1 */
  trying(): void {
    if (this.#state !== "trying" || this.#request === undefined) return;
    const trying = this.#request.createResponse(100);
    if (this.#proceed(trying)) this.keeper.trace(this.#provisional, this.outlet, false);
  }

  /** The request came again. */
  retransmitted(): void {
    // In Trying a retransmission is discarded; in Proceeding the provisional response MUST be sent again.
    if (this.#state === "proceeding") this.resend(this.#provisional);
  }

  override abandon(): void {
    if (this.#state !== "trying" && this.#state !== "proceeding") return;
    this.#state = "terminated";
    this.#request = undefined;
    this.keeper.terminated(this);
    this.user.ended(this);
  }

  /** It has no timers of its own: Timer J is its `CompletedAnswer`'s. */
  override fired(): void {}

  #proceed(response: Response): boolean {
    // No provisional response but 100 MUST be sent to a non-INVITE, and over an unreliable transport none before a
    // client's Timer E would be reset to T2 (RFC 4320 §4.1).
    if (response.status !== 100) return false;
    if (!this.reliable && this.timers.now() - this.#since < this.timers.untilT2) return false;
    this.#provisional = response.toWire();
    this.#state = "proceeding";
    this.send(this.#provisional);
    return true;
  }
}
