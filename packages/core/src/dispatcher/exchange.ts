import type { Arrival, Peer } from "../arrival.ts";
import { abortRequest, type Request, signalHeld } from "../message/request.ts";
import type { Response, ResponseOptions } from "../message/response.ts";
import type { ServerTransaction } from "../transaction/server-transaction.ts";
import type { ServerUser } from "../transaction/server-user.ts";
import { type TransactionOutcome, transactionChannel } from "../transaction/transaction-channel.ts";
import { TransactionSpan } from "../transaction/transaction-span.ts";
import type { TransportLeg } from "../transport/leg.ts";
import { blame } from "./blame.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import { responsePeer } from "./response-way.ts";
import { safeRefusal } from "./safe-refusal.ts";
import type { Watched, WatchState, WatchTimer } from "./watch.ts";

/**
 * One request and the answers to it: the seam between the chain and the server transactions. A transaction is made only
 * when something has to wait, so that a refusal leaves nothing, and a request answered at once only what its
 * retransmission needs.
 */
export class Exchange implements Arrival, ServerUser, Watched {
  readonly request: Request;
  readonly leg: TransportLeg;
  readonly from: Peer;
  readonly at: number;
  readonly size: number;
  readonly #host: ExchangeHost;
  #peer: Peer | undefined;
  #transaction: ServerTransaction | undefined;
  #watch: WatchState | undefined;
  #answered = false;
  #over = false;
  #cancelled = false;
  #span: TransactionSpan | undefined;

  constructor(
    host: ExchangeHost,
    request: Request,
    leg: TransportLeg,
    from: Peer,
    at: number,
    size: number,
  ) {
    this.#host = host;
    this.request = request;
    this.leg = leg;
    this.from = from;
    this.at = at;
    this.size = size;
  }

  /** It is a new request, and no ACK. */
  began(): void {
    if (!transactionChannel.hasSubscribers) return;
    const { request, leg, from: peer, at } = this;
    const { node } = this.#host;
    this.#span = new TransactionSpan("server", request, { at, node, leg, peer });
  }

  /** Where its responses go. */
  get peer(): Peer {
    this.#peer ??= responsePeer(this.request, this.from);
    return this.#peer;
  }

  /** Whether a final response is still owed. */
  get isOpen(): boolean {
    return !this.#answered && !this.#over;
  }

  /**
   * What waits needs a transaction, so that retransmissions don't run the chain again. `false`: there is no room for
   * one.
   */
  wait(): boolean {
    const { request } = this;
    if (this.#transaction !== undefined || request.method === "ACK" || !this.isOpen) return true;
    const outlet = { leg: this.leg, peer: this.peer };
    this.#transaction = this.#host.table.createServer(request, outlet, this);
    if (this.#transaction === undefined) return false;
    this.#watch = this.#host.watch.begin(this, request.method === "INVITE");
    return true;
  }

  /** There is no room: new requests get a stateless 503. */
  overload(): void {
    this.#host.count("refusedForWantOfRoom");
    this.refuse(503, { stateless: true });
  }

  /** The server has not begun to serve, or is about to end. */
  unavailable(): void {
    this.#host.count("refusedWhileNotServing");
    this.refuse(503, { stateless: true });
  }

  /** It came with a Route that we never signed. */
  forged(): void {
    this.#host.count("forgedRoutes");
    this.refuse(403, { reason: "Forged Route", stateless: true });
  }

  /** Answers it in the chain's place; what nobody can answer ends so. */
  refuse(status: number, options: ResponseOptions): void {
    if (this.request.method === "ACK") {
      this.#host.count("refusedAcks");
      this.finish("closed");
    } else if (this.isOpen) {
      this.respond(safeRefusal(this.request, status, options, this.#host));
    }
  }

  /**
   * Sends a response to the request. What comes after a final one is refused and reported. A 2xx to an INVITE that was
   * made here is sent until its ACK comes; one that is forwarded is not, since whoever made it does that.
   */
  respond(response: Response, isForwarded = false): void {
    const { request } = this;
    const isInvite = request.method === "INVITE";
    const { status } = response;
    const further = this.#answered && isInvite && status >= 200 && status < 300;
    if (request.method === "ACK" || (!this.isOpen && !further)) {
      this.#refused(response);
      return;
    }
    // RFC 4320 §4.2: a 408 to a request other than INVITE is never sent. Who gives one ends the wait in silence.
    if (status === 408 && !isInvite) {
      this.#host.count("withheldTimeouts");
      this.finish("timeout");
      return;
    }
    if (status > 100) this.#host.beforeSend(response, this.leg, this.peer);
    if (status < 200) this.#sendProvisional(response);
    else {
      this.#traceFinal(response);
      this.#sendFinal(response, isInvite, isForwarded);
    }
  }

  /** Ends it without an answer, or after it. */
  finish(outcome: TransactionOutcome): void {
    this.#over = true;
    this.#span?.end(this.#host.clock.now(), { outcome });
    const transaction = this.#transaction;
    this.#transaction = undefined;
    if (transaction?.pending === true) transaction.abandon();
    this.#stopWatching();
  }

  /** A CANCEL came for it. RFC 3261 §9.2 */
  cancel(): void {
    if (!this.isOpen) return;
    this.#cancelled = true;
    abortRequest(this.request);
    if (!this.isOpen) return;
    // Who holds the signal answers in time; where nobody holds it, nobody else would answer.
    if (!signalHeld(this.request)) this.respond(this.request.createResponse(487));
    else if (this.#watch !== undefined) this.#host.watch.cancelled(this, this.#watch);
  }

  /** The connection that it came over is lost, or the server closes. */
  abort(): void {
    if (this.isOpen) abortRequest(this.request);
  }

  fired(timer: WatchTimer): void {
    if (!this.isOpen) return;
    // §17.2.1, RFC 4320 §4.1: a 100 stops the client's retransmissions.
    if (timer === "trying") this.#transaction?.trying();
    else this.#overdue();
  }

  ended(): void {
    this.#transaction = undefined;
    this.finish("closed");
  }

  unacknowledged(): void {
    this.#host.count("unacknowledgedFinalResponses");
  }

  #sendProvisional(response: Response): void {
    if (!this.wait()) {
      this.overload();
    } else if (this.#transaction?.respond(response) === true) {
      this.#host.sending(response, this.leg, this.peer);
      if (this.#watch !== undefined) this.#host.watch.provisional(this, this.#watch);
    }
  }

  /** Tells of the final response before it goes: its transaction may end while it is sent. */
  #traceFinal(response: Response): void {
    const { status } = response;
    this.#host.sending(response, this.leg, this.peer, this);
    const outcome = this.#cancelled && status >= 300 ? "cancelled" : "answered";
    this.#span?.end(this.#host.clock.now(), { outcome, status });
  }

  #sendFinal(response: Response, isInvite: boolean, isForwarded: boolean): void {
    const { request, leg, peer } = this;
    const transaction = this.#transaction;
    this.#answered = true;
    if (transaction === undefined && response.stateless) {
      leg.send(response.toWire(), peer);
    } else if (transaction === undefined && !isInvite) {
      const wire = response.toWire();
      leg.send(wire, peer);
      this.#host.table.recordCompleted(request, wire, { leg, peer });
    } else {
      this.#sendThroughTransaction(response, isForwarded);
    }
    this.#stopWatching();
  }

  #sendThroughTransaction(response: Response, isForwarded: boolean): void {
    const { leg, peer } = this;
    this.#transaction ??= this.#host.table.createServer(this.request, { leg, peer }, this);
    const transaction = this.#transaction;
    if (transaction === undefined) {
      this.#host.count("answeredWithoutTransaction");
      leg.send(response.toWire(), peer);
    } else if (transaction.isInvite && !isForwarded && response.status < 300) {
      // §13.3.1.4
      transaction.keepSending2xx(response);
    } else if (response.stateless) {
      leg.send(response.toWire(), peer);
      transaction.abandon();
    } else {
      transaction.respond(response);
    }
  }

  #refused(response: Response): void {
    this.#host.count("refusedAnswers");
    // A handler can't know that a CANCEL was faster than its answer: a race, nobody's fault.
    if (this.#cancelled) return;
    const what = `${response.status} to ${this.request.method}`;
    blame(this.request, "SIP_ANSWERED_TWICE", `sent a ${what} that has its end`, this.#host);
  }

  #overdue(): void {
    const { request } = this;
    if (!this.#cancelled) {
      this.#host.count("unansweredRequests");
      blame(request, "SIP_UNANSWERED", "never answered", this.#host);
      abortRequest(request);
    }
    if (!this.isOpen) return;
    if (request.method === "INVITE") this.refuse(this.#cancelled ? 487 : 408, {});
    // RFC 4320 §4.2: never a 408 to a non-INVITE.
    else this.finish("timeout");
  }

  #stopWatching(): void {
    if (this.#watch === undefined) return;
    this.#host.watch.end(this.#watch);
    this.#watch = undefined;
  }
}
