import type { ClientObserver, ClientTransaction, Response, SipError } from "@sipkit/core";
import { Expiring } from "./deadlines.ts";
import type { Destination } from "./target-set.ts";

/** Whom a branch belongs to: sends it, and is told what becomes of it. */
export interface BranchOwner {
  send(branch: Branch): ClientTransaction;
  /** A provisional response other than 100. */
  progressed(branch: Branch, response: Response): void;
  /** A 2xx. */
  succeeded(branch: Branch, response: Response): void;
  /** A final response that is no success, or none at all: then its status is what that counts as. */
  failed(branch: Branch, status: number, response: Response | undefined): void;
  /** A lap of its Timer C is over. RFC 3261 §16.8 */
  lapEnded(branch: Branch, laps: number): void;
}

/** One forwarded copy of a request and what became of it. RFC 3261 §16.6, §16.7 */
export class Branch extends Expiring implements ClientObserver {
  readonly destination: Destination;
  /** The Max-Breadth that it carries. */
  readonly breadth: number;
  readonly #owner: BranchOwner;
  #transaction: ClientTransaction | undefined;
  /** How many laps of Timer C have ended since the last provisional response. */
  #laps = 0;
  #isOver = false;
  #hasProgressed = false;
  #isCancelled = false;
  #isExpired = false;

  constructor(owner: BranchOwner, destination: Destination, breadth: number) {
    super();
    this.#owner = owner;
    this.destination = destination;
    this.breadth = breadth;
  }

  /** Whether we gave it up. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Whether the device has said that it is at it. */
  get hasProgressed(): boolean {
    return this.#hasProgressed;
  }

  start(): void {
    const transaction = this.#owner.send(this);
    // What failed at once has told us by now.
    if (this.#isOver) return;
    this.#transaction = transaction;
    if (this.#isCancelled) transaction.cancel();
  }

  cancel(): void {
    if (this.#isOver || this.#isCancelled) return;
    this.#isCancelled = true;
    this.#transaction?.cancel();
  }

  /** A lap of Timer C. RFC 3261 §16.8 */
  lapEnded(): void {
    this.#laps += 1;
    this.#owner.lapEnded(this, this.#laps);
  }

  /**
   * It took too long: cancelled, and the 487 that this draws counts as a 408, for the caller cancelled nothing.
   *
   * RFC 3261 §16.8
   */
  expire(): void {
    this.#isExpired = true;
    this.cancel();
  }

  response(response: Response): void {
    const { status } = response;
    // §16.7 step 5: every 2xx to an INVITE goes upstream, also one after the first.
    if (status >= 200 && status < 300) {
      this.#end();
      this.#owner.succeeded(this, response);
    } else if (this.#isOver) {
      // Nothing but a 2xx can follow a final response.
    } else if (status >= 300) {
      this.#end();
      this.#fail(status, response);
    } else if (status > 100) {
      this.#laps = 0;
      this.#hasProgressed = true;
      this.#owner.progressed(this, response);
    }
  }

  failed(error: SipError): void {
    if (this.#isOver) return;
    this.#end();
    this.#fail(statusOf(error), undefined);
  }

  #fail(status: number, response: Response | undefined): void {
    if (status === 487 && this.#isExpired) this.#owner.failed(this, 408, undefined);
    else this.#owner.failed(this, status, response);
  }

  #end(): void {
    this.#isOver = true;
    this.#transaction = undefined;
  }
}

/** The response that a failure counts as. RFC 3261 §16.7 step 6, §16.9; RFC 5626 §5.3.1 */
export function statusOf({ code }: SipError): number {
  switch (code) {
    case "SIP_TIMEOUT":
      return 408;
    case "SIP_FLOW_GONE":
      return 430;
    case "SIP_HOP_REFUSED":
      return 403;
    // It was not even sent yet.
    case "SIP_CANCELLED":
      return 487;
    default:
      return 503;
  }
}
