import type { Packet } from "../chain/handler.ts";
import type { ClientTransaction, DeliverOptions, RequestOptions } from "../chain/server.ts";
import { type SipError, TransportError } from "../errors.ts";
import type { Request } from "../message/request.ts";
import { type Response, setResponseRequest } from "../message/response.ts";
import { asSipError } from "./as-sip-error.ts";
import { Attempts, type AttemptsHost } from "./attempts.ts";
import { Exchange } from "./exchange.ts";
import type { Flows } from "./flows.ts";
import { wayFor } from "./large-request.ts";
import { makeReady } from "./make-ready.ts";
import type { Direction, NextHops } from "./next-hop.ts";
import { viaPeer } from "./response-way.ts";
import type { Way } from "./way.ts";

/** What a packet meets on its way out. */
export interface OutboundHost extends AttemptsHost {
  readonly nextHops: NextHops;
  readonly flows: Flows;
  /** Whether the legs are open. */
  readonly isOpen: boolean;
  /** Called when there may be nothing left to wait for. */
  readonly whenIdle: (() => void) | undefined;
}

/** Who sends a request once its way is known. */
interface Sender {
  go(way: Way): void;
  fail(error: SipError): void;
}

/** A packet's way out: find where it goes, put our Via on, hand it to a transaction or straight to the leg. */
export class Outbound {
  readonly #host: OutboundHost;
  #unresolved = 0;

  constructor(host: OutboundHost) {
    this.#host = host;
  }

  /** How many requests wait for their next hop to be looked up. */
  get unresolved(): number {
    return this.#unresolved;
  }

  request(original: Request, options: RequestOptions): ClientTransaction {
    // A copy: what is put on to send it must not be there when it is sent again, with credentials for example.
    const request = original.clone();
    const attempts = new Attempts(this.#host, request, options);
    this.#along(request, options, attempts);
    return attempts.exchange;
  }

  deliver(packet: Packet, where: DeliverOptions): void {
    if (packet.isRequest) {
      const request = packet.clone();
      this.#along(request, where, {
        go: (way) => this.#sendOnce(request, way, where),
        fail: (error) => {
          this.#host.count("undeliverableRequests");
          if (where.failed !== undefined) {
            where.failed(error);
            return;
          }
          this.#host.report(error, { packet });
        },
      });
    } else this.#deliverResponse(packet, where);
  }

  /** Finds the way, now or later; `fail` gets whatever goes wrong on it. */
  #along(request: Request, direction: Direction, sender: Sender): void {
    const failed = (error: unknown): void => sender.fail(asSipError(error));
    try {
      if (!this.#host.isOpen) {
        throw new TransportError("the server doesn't listen", { code: "SIP_NOT_LISTENING" });
      }
      const { target } = direction;
      if (target !== undefined && target.route.length > 0) {
        for (const hop of target.route.toReversed()) request.headers.prepend("Route", hop);
      }
      const way = this.#host.nextHops.find(request, direction);
      if ("then" in way) this.#goWhenFound(way, sender, failed);
      else sender.go(way);
    } catch (error) {
      failed(error);
    }
  }

  #goWhenFound(way: Promise<Way>, sender: Sender, failed: (error: unknown) => void): void {
    this.#unresolved += 1;
    way
      .finally(() => {
        this.#unresolved -= 1;
      })
      .then((found) => {
        // What was closed meanwhile has no transactions any more, and has given up its look-ups.
        if (!this.#host.isOpen) throw closed();
        sender.go(found);
      })
      .catch((error: unknown) => failed(this.#host.isOpen ? error : closed()))
      .finally(() => this.#host.whenIdle?.());
  }

  /** Sends a request without a transaction. */
  #sendOnce(original: Request, found: Way, where: DeliverOptions): void {
    const { setAside, random } = this.#host;
    const branch = where.branch ?? random.token();
    const { prepare } = where;
    let way = wayFor(original, found, setAside);
    let request = way.large === undefined ? original : original.clone();
    let peer = makeReady(request, way, { branch, prepare }, this.#host);
    const fitting = wayFor(request, way, setAside);
    if (fitting !== way) {
      way = fitting;
      request = original;
      peer = makeReady(request, way, { branch, prepare }, this.#host);
    }
    // Its retransmission goes by UDP when there is no TCP.
    if (way.otherwise?.isSamePlace) setAside.watch(peer);
    this.#host.sending(request, way.leg, peer);
    way.leg.send(request.toWire(), peer);
  }

  #deliverResponse(response: Response, where: DeliverOptions): void {
    const exchange =
      (where.answers ?? response.request)?.arrival ?? this.#host.table.findAnswered(response)?.user;
    if (!(exchange instanceof Exchange)) {
      this.#forwardStateless(response, where);
      return;
    }
    const isForwarded = response.request === undefined;
    if (isForwarded) setResponseRequest(response, exchange.request);
    exchange.respond(response, isForwarded);
  }

  /** A response of which we keep no transaction goes where its topmost Via says. RFC 3261 §16.11, §18.2.2 */
  #forwardStateless(response: Response, { leg, to, flow }: DeliverOptions): void {
    try {
      const via = response.topmostVia;
      const way = flow && this.#host.flows.find(flow);
      const peer = way?.peer ?? (typeof to === "object" ? to : via && viaPeer(via));
      if (peer === undefined) throw new TransportError("the response's Via names no address");
      const { leg: own } = way ?? this.#host.nextHops.reach(peer, leg);
      const reached = own.reach(peer);
      this.#host.beforeSend(response, own, reached);
      this.#host.sending(response, own, reached);
      own.send(response.toWire(), reached);
    } catch (error) {
      this.#host.count("undeliverableResponses");
      this.#host.report(asSipError(error), { packet: response });
    }
  }
}

function closed(): TransportError {
  return new TransportError("the server was closed", { code: "SIP_CLOSED" });
}
