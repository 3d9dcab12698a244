import type { Peer } from "../arrival.ts";
import type { Packet } from "../chain/handler.ts";
import type { ClientTransaction, DeliverOptions, RequestOptions } from "../chain/server.ts";
import { type SipError, TransportError } from "../errors.ts";
import type { Request } from "../message/request.ts";
import { type Response, setResponseRequest } from "../message/response.ts";
import type { Random } from "../random.ts";
import type { TransportLeg } from "../transport/leg.ts";
import { asSipError } from "./as-sip-error.ts";
import { ClientExchange } from "./client-exchange.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import type { Way } from "./flows.ts";
import type { Direction, NextHops } from "./next-hop.ts";
import { viaPeer } from "./response-way.ts";

/** What a packet meets on its way out. */
export interface OutboundHost extends ExchangeHost {
  readonly random: Random;
  readonly nextHops: NextHops;
  /** Whether the legs are open. */
  readonly isOpen: boolean;
}

/** A packet's way out: find where it goes, put our Via on, hand it to a transaction or straight to the leg. */
export class Outbound {
  readonly #host: OutboundHost;

  constructor(host: OutboundHost) {
    this.#host = host;
  }

  request(original: Request, options: RequestOptions): ClientTransaction {
    // A copy: what is put on to send it must not be there when it is sent again, with credentials for example.
    const request = original.clone();
    const exchange = new ClientExchange(request, options.observer, (error) =>
      this.#host.report(asSipError(error), { packet: request }),
    );
    if (options.signal !== undefined) exchange.follow(options.signal);
    this.#along(
      request,
      options,
      (way) => this.#send(exchange, way, options),
      (error) => exchange.failed(error),
    );
    return exchange;
  }

  deliver(packet: Packet, where: DeliverOptions): void {
    if (packet.isRequest) {
      const request = packet.clone();
      this.#along(
        request,
        where,
        ({ leg, peer }) => {
          this.#ready(request, leg, peer, where.branch);
          leg.send(request.toWire(), peer);
        },
        (error) => {
          this.#host.count("undeliverableRequests");
          this.#host.report(error, { packet });
        },
      );
    } else this.#deliverResponse(packet, where);
  }

  /** Finds the way, now or later; `fail` gets whatever goes wrong on it. */
  #along(
    request: Request,
    direction: Direction,
    go: (way: Way) => void,
    fail: (error: SipError) => void,
  ): void {
    const failed = (error: unknown): void => fail(asSipError(error));
    try {
      if (!this.#host.isOpen) {
        throw new TransportError("the server doesn't listen", { code: "SIP_NOT_LISTENING" });
      }
      const { target } = direction;
      if (target !== undefined && target.route.length > 0) {
        for (const hop of target.route.toReversed()) request.headers.prepend("Route", hop);
      }
      const way = this.#host.nextHops.find(request, direction);
      if ("then" in way) way.then(go).catch(failed);
      else go(way);
    } catch (error) {
      failed(error);
    }
  }

  #send(exchange: ClientExchange, { leg, peer }: Way, options: RequestOptions): void {
    if (exchange.isOver) return;
    const { request } = exchange;
    options.prepare?.(request, leg, peer);
    this.#ready(request, leg, peer, options.branch);
    const machine = this.#host.table.createClient(request, { leg, peer }, exchange);
    if (machine === undefined) {
      this.#host.count("requestsNotSent");
      const why = "there is no room, or a transaction has that branch already";
      exchange.failed(new TransportError(why, { code: "SIP_NO_TRANSACTION" }));
      return;
    }
    exchange.sent(machine);
  }

  /** Hooks, then our Via. RFC 3261 §8.1.1.7, §16.6 item 8 */
  #ready(request: Request, leg: TransportLeg, peer: Peer, branch: string | undefined): void {
    this.#host.beforeSend(request, leg, peer);
    request.headers.prepend("Via", this.#via(leg, branch ?? this.#host.random.token()));
    this.#host.sending(request, leg, peer);
  }

  #via(leg: TransportLeg, branch: string): string {
    // RFC 3581 §3: rport asks that answers come back to the port that we send from.
    const rport = leg.reliable ? "" : ";rport";
    return `SIP/2.0/${leg.protocol.toUpperCase()} ${leg.sentBy}${rport};branch=z9hG4bK${branch}`;
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
  #forwardStateless(response: Response, { leg, to }: DeliverOptions): void {
    try {
      const via = response.topmostVia;
      const peer = typeof to === "object" ? to : via && viaPeer(via);
      if (peer === undefined) throw new TransportError("the response's Via names no address");
      const way = this.#host.nextHops.reach(peer, leg);
      this.#host.beforeSend(response, way.leg, way.peer);
      this.#host.sending(response, way.leg, way.peer);
      way.leg.send(response.toWire(), way.peer);
    } catch (error) {
      this.#host.count("undeliverableResponses");
      this.#host.report(asSipError(error), { packet: response });
    }
  }
}
