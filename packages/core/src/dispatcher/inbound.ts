import type { Connection, Peer } from "../arrival.ts";
import type { Outcome, Packet } from "../chain/handler.ts";
import type { ReceiveChain } from "../chain/receive-chain.ts";
import { isClaim, isPending } from "../chain/verdict.ts";
import { ParseError, type SipError, TransportError } from "../errors.ts";
import { parsePacket } from "../message/parse.ts";
import { refusalTo } from "../message/refusal.ts";
import { type Request, seal } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import { stampVia } from "../message/stamp-via.ts";
import { validate } from "../message/validate.ts";
import { malformedChannel } from "../trace/malformed-channel.ts";
import type { ClientMachine } from "../transaction/client-user.ts";
import type { InviteServer } from "../transaction/invite-server.ts";
import type { TransportLeg } from "../transport/leg.ts";
import type { TransportSink } from "../transport/transport.ts";
import { asSipError } from "./as-sip-error.ts";
import { CallOrder } from "./call-order.ts";
import type { Domains } from "./domains.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import { takeOwnRoutes } from "./own-routes.ts";
import type { RouteTokens } from "./route-tokens.ts";
import type { SetAside } from "./set-aside.ts";
import type { ToTags } from "./to-tags.ts";

/** How many asynchronous handlers may be at work at once, on requests and on responses. */
const MAX_PENDING_HANDLERS = 10_000;

/** What a packet meets on its way in. */
export interface InboundHost extends ExchangeHost {
  readonly domains: Domains;
  readonly tokens: RouteTokens;
  readonly tags: ToTags;
  readonly setAside: SetAside;
  readonly receiver: ReceiveChain;
  readonly legs: readonly TransportLeg[];
  /** Whether new requests are served. */
  readonly isServing: boolean;
  /** Whether handlers have started. */
  readonly hasStarted: boolean;
  /** Whether the legs are open; `false` again before they are closed. */
  readonly isOpen: boolean;
  /** Tells the trace that a request came in, and whether a transaction knows it. */
  arrived(request: Request, leg: TransportLeg, from: Peer, size: number, again: boolean): void;
  /** The same of a response, with the transaction that it belongs to. */
  answered(
    response: Response,
    leg: TransportLeg,
    from: Peer,
    size: number,
    client: ClientMachine | undefined,
  ): void;
}

/** A packet's way in: parse, match a transaction, take our Routes off, keep the order, walk the chain. */
export class Inbound {
  readonly #host: InboundHost;
  readonly #order = new CallOrder();
  #pending = 0;

  constructor(host: InboundHost) {
    this.#host = host;
  }

  /** How many requests wait behind a pending one of their call. */
  get waiting(): number {
    return this.#order.waiting;
  }

  /** How many asynchronous handlers have not come to an end. */
  get pending(): number {
    return this.#pending;
  }

  /** What a leg's transport calls. */
  sink(leg: TransportLeg): TransportSink {
    const { table } = this.#host;
    return {
      message: (bytes, from) => this.#message(leg, bytes, from),
      malformed: (error, head, from) => this.#refuse(leg, head, error, from),
      failed: (error, to) => this.#failed(error, to),
      closed: (connection) => {
        for (const { user } of table.connectionClosed(connection)) {
          if (user instanceof Exchange) user.abort();
        }
        this.#closed(leg, connection);
      },
    };
  }

  #closed(leg: TransportLeg, connection: Connection): void {
    if (!this.#host.hasStarted || !this.#host.isOpen) return;
    try {
      this.#host.receiver.connectionClosed(connection, leg);
    } catch (error) {
      this.#host.report(asSipError(error));
    }
  }

  #message(leg: TransportLeg, bytes: Uint8Array, from: Peer): void {
    let packet: Packet;
    try {
      packet = parsePacket(bytes);
      validate(packet);
      if (packet.isRequest) stampVia(packet, from);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#refuse(leg, bytes, error, from);
      return;
    }
    if (packet.isRequest) this.#request(leg, packet, from, bytes.length);
    else this.#response(leg, packet, from, bytes.length);
  }

  #request(leg: TransportLeg, request: Request, from: Peer, size: number): void {
    const { table, tags } = this.#host;
    const exchange = new Exchange(this.#host, request, leg, from, this.#host.clock.now());
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
    return this.#pending < MAX_PENDING_HANDLERS && this.#host.table.hasRoom;
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
      exchange.fail(error);
      return;
    }
    if (isPending(outcome)) this.#pend(exchange, outcome);
    else exchange.settle(outcome);
  }

  #pend(exchange: Exchange, outcome: Promise<Awaited<Outcome>>): void {
    const key = orderKey(exchange);
    this.#order.begin(key);
    this.#pending += 1;
    if (!exchange.wait()) exchange.overload();
    outcome
      .then(
        (verdict) => exchange.settle(verdict),
        (error: unknown) => exchange.fail(error),
      )
      .finally(() => {
        this.#pending -= 1;
        this.#order.done(key);
      })
      .catch((error: unknown) => exchange.fail(error));
  }

  #response(leg: TransportLeg, response: Response, from: Peer, size: number): void {
    const { table } = this.#host;
    const client = table.findClient(response);
    this.#host.answered(response, leg, from, size, client);
    if (client !== undefined) {
      client.receive(response);
      return;
    }
    // §18.1.2: a response whose topmost Via isn't ours isn't for us.
    const via = response.topmostVia;
    if (via === undefined || !this.#host.legs.some((own) => own.sentBy === via.sentBy)) {
      this.#host.count("misdirectedResponses");
      return;
    }
    const drop = (error?: unknown): void => {
      this.#host.count("strayResponses");
      if (error !== undefined) this.#host.report(asSipError(error), { packet: response });
    };
    if (!this.#host.hasStarted || this.#pending >= MAX_PENDING_HANDLERS) {
      drop();
      return;
    }
    try {
      const outcome = this.#host.receiver.receive(response, leg, from);
      if (isPending(outcome)) {
        this.#pending += 1;
        outcome
          .then((verdict) => {
            if (!isClaim(verdict)) drop();
          }, drop)
          .finally(() => {
            this.#pending -= 1;
          })
          .catch(drop);
      } else if (!isClaim(outcome)) drop();
    } catch (error) {
      drop(error);
    }
  }

  /** Bytes that are no packet: answered without state where there is somebody to answer. */
  #refuse(leg: TransportLeg, bytes: Uint8Array, error: ParseError, from: Peer): void {
    const { clock, node } = this.#host;
    this.#host.count("malformedMessages");
    if (malformedChannel.hasSubscribers) {
      malformedChannel.publish({ at: clock.now(), node, error, bytes, leg, peer: from });
    }
    const response = refusalTo(bytes, error);
    if (response !== undefined) {
      this.#host.sending(response, leg, from);
      leg.send(response.toWire(), from);
    }
    // A message that ends elsewhere for whoever forwarded it may have brought another one that he never saw. A WebSocket
    // frame ends where it says.
    const isStream = from.protocol === "tcp" || from.protocol === "tls";
    if (error.isAmbiguous && isStream && from.connection?.close !== undefined) {
      this.#host.count("distrustedStreams");
      from.connection.close();
    }
  }

  #failed(error: SipError, to: Peer): void {
    this.#host.count("failedSends");
    const failure =
      error instanceof TransportError ? error : new TransportError(error.message, { cause: error });
    this.#host.setAside.failed(to);
    this.#host.table.peerFailed(to, failure);
  }
}

function orderKey({ request, from }: Exchange): string {
  return CallOrder.key(request.callId, from.address, from.port);
}
