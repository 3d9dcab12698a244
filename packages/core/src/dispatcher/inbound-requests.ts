import type { Peer } from "../arrival.ts";
import type { Outcome, Verdict } from "../chain/handler.ts";
import type { ReceiveChain } from "../chain/receive-chain.ts";
import { isPending } from "../chain/verdict.ts";
import { type Request, seal } from "../message/request.ts";
import type { InviteServer } from "../transaction/invite-server.ts";
import type { TransportLeg } from "../transport/leg.ts";
import { CallOrder } from "./call-order.ts";
import type { Domains } from "./domains.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import { takeOwnRoutes } from "./own-routes.ts";
import type { PendingHandlers } from "./pending-handlers.ts";
import type { RouteTokens } from "./route-tokens.ts";
import { settle, settleThrown } from "./settle.ts";
import type { ToTags } from "./to-tags.ts";

/** What a request meets on its way in. */
export interface InboundRequestsHost extends ExchangeHost {
  readonly domains: Domains;
  readonly tokens: RouteTokens;
  readonly tags: ToTags;
  readonly receiver: ReceiveChain;
  /** Whether new requests are served. */
  readonly isServing: boolean;
  /** Whether handlers have started. */
  readonly hasStarted: boolean;
  /** Tells the trace that a request came in, and whether a transaction knows it. */
  arrived(request: Request, leg: TransportLeg, from: Peer, size: number, again: boolean): void;
}

/** A request's way in: match a transaction, keep the order, take our Routes off, walk the chain. */
export class InboundRequests {
  readonly #host: InboundRequestsHost;
  readonly #handlers: PendingHandlers;
  readonly #order = new CallOrder();

  constructor(host: InboundRequestsHost, handlers: PendingHandlers) {
    this.#host = host;
    this.#handlers = handlers;
  }

  /** How many wait behind a pending one of their call. */
  get waiting(): number {
    return this.#order.waiting;
  }

  receive(request: Request, leg: TransportLeg, from: Peer, size: number): void {
    const { table, tags } = this.#host;
    const exchange = new Exchange(this.#host, request, leg, from, this.#host.clock.now(), size);
    seal(request, { arrival: exchange, tagger: tags });
    if (request.method === "ACK") {
      const invite = table.findInvite(request);
      this.#host.arrived(request, leg, from, size, invite?.state === "confirmed");
      if (this.#acknowledge(request, invite) === "absorbed") return;
    } else {
      const known = table.findServer(request);
      this.#host.arrived(request, leg, from, size, known !== undefined);
      if (known !== undefined) {
        known.retransmitted();
        return;
      }
      exchange.began();
      if (request.method === "CANCEL" && this.#cancel(exchange) === "answered") return;
    }
    const { isServing, hasStarted } = this.#host;
    // When the server is about to end, dialogs that it is in are served to the last.
    if (!hasStarted || (!isServing && request.to.tag === undefined)) exchange.unavailable();
    else if (this.#hasRoom) this.#inOrder(exchange);
    else exchange.overload();
  }

  /** The ACK to a final response of ours that is no 2xx ends here; every other one is an in-dialog request. */
  #acknowledge(ack: Request, invite: InviteServer | undefined): "absorbed" | "passed" {
    if (invite !== undefined) return invite.acknowledged(ack);
    if (!this.#host.tags.recognises(ack)) return "passed";
    this.#host.count("acksToStatelessAnswers");
    return "absorbed";
  }

  /**
   * A CANCEL is answered here, and what it cancels is told. RFC 3261 §9.2
   *
   * One that cancels nothing here passes on where a proxy without transactions waits for it. §16.11
   */
  #cancel(exchange: Exchange): "answered" | "passed" {
    const invite = this.#host.table.findInvite(exchange.request);
    if (invite === undefined && this.#host.receiver.takesCancel) return "passed";
    const status = invite === undefined ? 481 : 200;
    // A 200 is kept for retransmissions of the CANCEL, which may come when the INVITE is over; a 481 costs a stranger's
    // CANCEL no memory here.
    const stateless = invite === undefined;
    exchange.respond(exchange.request.createResponse(status, { stateless }));
    if (invite?.user instanceof Exchange) invite.user.cancel();
    return "answered";
  }

  /** Looked at before a handler is asked: one whose request is refused afterwards has worked for nothing. */
  get #hasRoom(): boolean {
    return this.#handlers.hasRoom && this.#host.table.hasRoom;
  }

  /** Later requests of a call wait while an earlier one of the same source is pending. */
  #inOrder(exchange: Exchange): void {
    const key = this.#order.idle ? undefined : orderKey(exchange);
    if (key === undefined || !this.#order.isPending(key)) this.#walk(exchange);
    else if (!exchange.wait() || !this.#order.wait(key, () => this.#walk(exchange)))
      exchange.overload();
  }

  #walk(exchange: Exchange): void {
    const { request, leg, from } = exchange;
    let outcome: Outcome;
    try {
      if (takeOwnRoutes(request, this.#host.domains, this.#host.tokens) === "forged") {
        exchange.forged();
        return;
      }
      outcome = this.#host.receiver.receive(request, leg, from);
    } catch (error) {
      settleThrown(exchange, error, this.#host);
      return;
    }
    if (isPending(outcome)) this.#pend(exchange, outcome);
    else settle(exchange, outcome, this.#host);
  }

  #pend(exchange: Exchange, outcome: Promise<Verdict>): void {
    const key = orderKey(exchange);
    this.#order.begin(key);
    if (!exchange.wait()) exchange.overload();
    this.#handlers.follow(outcome, {
      settle: (verdict) => settle(exchange, verdict, this.#host),
      fail: (error) => settleThrown(exchange, error, this.#host),
      ended: () => this.#order.done(key),
    });
  }
}

function orderKey({ request, from }: Exchange): string {
  return CallOrder.key(request.callId, from.address, from.port);
}
