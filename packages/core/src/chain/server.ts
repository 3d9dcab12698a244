import type { Leg, Peer } from "../arrival.ts";
import type { Clock } from "../clock.ts";
import type { SipError } from "../errors.ts";
import type { Method } from "../message/method.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import type { Random } from "../random.ts";
import type { FlowRef } from "../transport/flow.ts";
import type { Packet } from "./handler.ts";
import type { Target } from "./targets.ts";

/** How a request is sent. */
export interface RequestOptions {
  /** Its flow goes before everything else, its route goes on as Route. */
  readonly target?: Target;
  readonly leg?: Leg;
  /** Where to send it instead of to its Route or request-URI: a peer, or a SIP URI. */
  readonly to?: Peer | string;
  /** Aborted: the transaction is cancelled. */
  readonly signal?: AbortSignal;
  /**
   * The Via branch without its `z9hG4bK`; default: a random token. A proxy puts its loop hash at its end. When the
   * request goes to another place after a failure, a number and a dot come before it.
   *
   * RFC 3261 §8.1.1.7, RFC 5393 §4.2.1
   */
  readonly branch?: string;
  /**
   * Called when leg and peer are known, before `beforeSend` and before our Via goes on: where a proxy adds its
   * Record-Route. Synchronous. Called again, with a fresh copy, for each other place that the request goes to after a
   * failure, and when what was added makes it too large for UDP.
   */
  readonly prepare?: (request: Request, leg: Leg, to: Peer) => void;
  /**
   * Called synchronously as responses come, for those who forward: it costs no promise. The async iterator and
   * `final` work beside it.
   */
  readonly observer?: ClientObserver;
  /**
   * For how many milliseconds another place may be tried when one has failed. When the request is no INVITE, such a place
   * has until then to answer, or it has timed out: a proxy gives the time after which nobody waits any more. Default:
   * without end.
   *
   * RFC 3263 §4.3, RFC 4320 §4.2
   */
  readonly failoverFor?: number;
}

/** Who is told what became of a request. */
export interface ClientObserver {
  /** Each response in order, retransmissions left out; further 2xx to an INVITE after the first. */
  response(response: Response): void;
  /** No final response will come: a `TransactionTimeout` or a `TransportError`. Called at most once. */
  failed(error: SipError): void;
}

/**
 * Responses in order, the final one last; more than one 2xx can follow to an INVITE. Ends by a final response, or
 * throws `TransactionTimeout` or `TransportError`.
 *
 * RFC 3261 §17.1
 */
export interface ClientTransaction extends AsyncIterable<Response> {
  /** As it was sent last: after a failure it may have gone to another place, as another copy. */
  readonly request: Request;
  readonly final: Promise<Response>;
  /** Waits for a provisional response first, as it must. Does nothing after a final one. RFC 3261 §9.1 */
  cancel(): void;
}

/** Where a packet is delivered, when that doesn't follow from the packet. */
export interface DeliverOptions {
  readonly leg?: Leg;
  readonly to?: Peer | string;
  /** For a request: as in `RequestOptions`. */
  readonly target?: Target;
  /** For a response that answers no request of ours: goes before its topmost Via, while it is alive. */
  readonly flow?: FlowRef;
  /** For a request: as in `RequestOptions`. */
  readonly branch?: string;
  /** For a request: as in `RequestOptions`. */
  readonly prepare?: RequestOptions["prepare"];
  /** For a request: told when it finds no way, at once or later. Default: it is counted and reported. */
  readonly failed?: (error: SipError) => void;
  /** For a response: the request of ours that it answers, where its topmost Via is not to be trusted to tell. */
  readonly answers?: Request;
}

/** What a Record-Route URI of ours is made of. */
export interface RouteOptions {
  /** The request that opens the dialog. */
  readonly request: Request;
  /** Whose side this URI is for: the caller's (`a`, towards where the request came from) or the callee's (`b`). */
  readonly side: "a" | "b";
  /** The leg whose address goes into the URI: the one on that side. */
  readonly leg: Leg;
  /** How that side is reached; left out where the request-URI tells. */
  readonly flow?: FlowRef;
}

/** The dispatcher as its handlers see it. */
export interface Server {
  readonly clock: Clock;
  readonly random: Random;
  readonly legs: readonly Leg[];
  /** The domains that this server is responsible for, lower-case. */
  readonly domains: readonly string[];
  /** The methods that its handlers and the dispatcher itself deal with: what goes into an Allow header. RFC 3261 §20.5 */
  readonly allows: readonly Method[];
  /** Which process of a cluster this is, and which life of it. */
  readonly node: string;
  readonly epoch: string;
  /** RFC 3261's T1 in milliseconds. */
  readonly t1: number;
  /** Whether a URI names this server: an address, advertised name, domain or alias of ours. */
  isLocal(uri: string): boolean;
  /**
   * The canonical address-of-record (`sip:user@host`: host lower-case, user unescaped, parameters and password
   * dropped) when the URI's domain is ours, else `undefined`. RFC 3261 §10.3
   */
  addressOfRecord(uri: string): string | undefined;
  /** The flow that a request came over; `undefined` for a request made here. */
  flowOf(request: Request): FlowRef | undefined;
  /** Whether a flow can still be used. */
  isAlive(flow: FlowRef): boolean;
  /** The flow to a peer through a leg of ours: for a `prepare` that signs a route. */
  flowTo(leg: Leg, to: Peer): FlowRef;
  /** A Record-Route URI in brackets with `;lr`, signed for the dialog that the request opens. */
  signRoute(options: RouteOptions): string;
  /**
   * A Path URI in brackets with `;lr;ob`, signed: who sends a request with it as Route reaches the device over that flow,
   * without being asked who he is; a flow that is gone is answered 430. `leg`: at whose address it can be sent to us.
   *
   * RFC 3327 §5.2, RFC 5626 §5.1
   */
  signPath(flow: FlowRef, leg: Leg): string;
  /**
   * Sends a copy of a request in a transaction of its own. Where the next hop has several addresses, and one fails by a
   * transport error, a time-out or a 503, the next one gets it: what is told is the last outcome, and provisional
   * responses of each. Never throws: what fails is told by the transaction.
   */
  request(request: Request, options?: RequestOptions): ClientTransaction;
  /**
   * Sends a response through the transaction of its request (`answers`, else by its topmost Via), or a request
   * without a transaction (an ACK to a 2xx, a stateless forward), of which a copy is sent. A 408 to a request other
   * than INVITE ends that without an answer, as RFC 4320 §4.2 asks for. Never throws.
   */
  deliver(packet: Packet, where?: DeliverOptions): void;
  /** Counts something: shows up in the dispatcher's `counters()` under that name. */
  count(name: string): void;
  /** Tells the operator of something that went wrong, as `onError` of the dispatcher. */
  report(error: SipError, at?: { readonly packet?: Packet; readonly handler?: string }): void;
}
