import type { Peer } from "../arrival.ts";
import type { RequestOptions } from "../chain/server.ts";
import type { Clock, Timer } from "../clock.ts";
import { type SipError, TransactionTimeout, TransportError } from "../errors.ts";
import { retryAfter } from "../message/header/retry-after.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import type { Random } from "../random.ts";
import type { ClientUser } from "../transaction/client-user.ts";
import { asSipError } from "./as-sip-error.ts";
import { ClientExchange } from "./client-exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import { wayFor } from "./large-request.ts";
import { makeReady } from "./make-ready.ts";
import type { SetAside } from "./set-aside.ts";
import type { Way } from "./way.ts";

/** How many places one request is sent to, one after the other. */
const MAX_ATTEMPTS = 8;

/** What an attempt needs of its dispatcher. */
export interface AttemptsHost extends ExchangeHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly setAside: SetAside;
}

/**
 * A request of ours and the places that it is sent to, one after the other until one answers: each time as a new
 * transaction, with a fresh copy. Its caller sees one transaction with the last outcome.
 *
 * RFC 3263 §4.3, RFC 3261 §8.1.3.1, §16.6 item 7, §18.1.1
 */
export class Attempts implements ClientUser {
  /** What the caller holds. */
  readonly exchange: ClientExchange;
  readonly #host: AttemptsHost;
  readonly #options: RequestOptions;
  readonly #branch: string;
  /** When it is of no use any more to go on, by the monotonic clock. */
  readonly #until: number;
  /** What further attempts are made of; `undefined` where there can be none. */
  #original: Request | undefined;
  #way: Way | undefined;
  #deadline: Timer | undefined;
  #count = 0;
  /** Whether the place that it went to last has said anything. */
  #isHeard = false;
  /** How many transactions were given up that have not said their last word yet. */
  #left = 0;

  /** `request` is the caller's no more. */
  constructor(host: AttemptsHost, request: Request, options: RequestOptions) {
    const { observer, branch, failoverFor, signal } = options;
    this.#host = host;
    this.#options = options;
    this.#branch = branch ?? host.random.token();
    this.#until =
      failoverFor === undefined ? Number.POSITIVE_INFINITY : host.clock.now() + failoverFor;
    this.exchange = new ClientExchange(request, observer, (error) =>
      host.report(asSipError(error), { packet: this.exchange.request }),
    );
    if (signal !== undefined) this.exchange.follow(signal);
  }

  /** The first place to go is known. */
  go(way: Way): void {
    const { exchange } = this;
    if (exchange.isOver) return;
    if (way.otherwise !== undefined || way.large !== undefined) {
      this.#original = exchange.request.clone();
    }
    this.#try(way);
  }

  /** It can't be sent at all. */
  fail(error: SipError): void {
    this.#forget();
    this.exchange.failed(error);
  }

  response(response: Response): void {
    const { status } = response;
    if (status === 503) {
      if (this.#goOn(response, retryTime(response))) return;
    } else if (this.#way !== undefined) this.#answers(this.#way);
    this.#isHeard = true;
    if (status >= 200) this.#forget();
    this.exchange.response(response);
  }

  failed(error: TransactionTimeout | TransportError): void {
    // RFC 3263 §4.3: who has answered, if only provisionally, is there and at work. What the server's own end fails must
    // not begin anew.
    const isFailure =
      error instanceof TransportError ? error.code !== "SIP_CLOSED" : !this.#isHeard;
    if (!isFailure || !this.#goOn(error)) this.fail(error);
  }

  ended(): void {
    if (this.#left > 0) this.#left -= 1;
    else this.exchange.ended();
  }

  /** A place that answers isn't set aside any more. */
  #answers({ peer, otherwise }: Way): void {
    const { setAside } = this.#host;
    setAside.delete(peer);
    if (otherwise?.isSamePlace) setAside.delete(otherwise.peer);
  }

  /** Tries the next place, if there is one and it is still of use. */
  #goOn(failure: Response | SipError, setAsideFor?: number): boolean {
    const { exchange } = this;
    const original = this.#original;
    const way = this.#way;
    if (original === undefined || way === undefined) return false;
    let next = way.otherwise;
    let failed = way.peer;
    // §18.1.1: back to UDP only when no connection could be had. Else the place itself has failed, by whatever protocol.
    if (next?.isSamePlace && !isUnreachable(failure)) {
      failed = next.peer;
      next = next.otherwise;
    }
    if (next === undefined && this.#count < 2) return false;
    this.#host.setAside.add(failed, setAsideFor);
    if (next === undefined || exchange.isCancelled || this.#count >= MAX_ATTEMPTS) return false;
    if (this.#host.clock.now() >= this.#until) return false;
    this.#host.count("failovers");
    this.#left += 1;
    exchange.begin(original.clone());
    this.#try(next);
    return true;
  }

  #try(wanted: Way): void {
    const { exchange } = this;
    const { setAside } = this.#host;
    try {
      // Looked at before and after: the hooks add to it, and shall not run for a packet that then goes elsewhere.
      let way = wayFor(exchange.request, wanted, setAside);
      let peer = this.#prepare(way);
      const fitting = wayFor(exchange.request, way, setAside);
      if (fitting !== way) {
        way = fitting;
        exchange.begin((this.#original as Request).clone());
        peer = this.#prepare(way);
      }
      if (!exchange.isOver) this.#send(way, peer);
    } catch (error) {
      this.fail(asSipError(error));
    }
  }

  #prepare(way: Way): Peer {
    // A number before it makes it a branch of its own and leaves its end, by which a proxy knows a loop.
    const next = this.#count + 1;
    const branch = next === 1 ? this.#branch : `${next}.${this.#branch}`;
    const { prepare } = this.#options;
    return makeReady(this.exchange.request, way, { branch, prepare }, this.#host);
  }

  #send(way: Way, peer: Peer): void {
    const { exchange } = this;
    const { request } = exchange;
    const { leg } = way;
    const count = this.#count + 1;
    this.#way = way;
    this.#count = count;
    this.#isHeard = false;
    this.#host.sending(request, leg, peer);
    const machine = this.#host.table.createClient(request, { leg, peer }, this);
    if (machine === undefined) {
      this.#host.count("requestsNotSent");
      const why = "there is no room, or a transaction has that branch already";
      this.fail(new TransportError(why, { code: "SIP_NO_TRANSACTION" }));
    } else if (this.#count === count) exchange.sent(machine);
    if (count > 1 && request.method !== "INVITE") this.#endInTime();
  }

  /** A further attempt has its own Timer F, which would run out when nobody waits any more. */
  #endInTime(): void {
    if (this.#deadline !== undefined || this.#until === Number.POSITIVE_INFINITY) return;
    if (this.exchange.isOver) return;
    const { clock } = this.#host;
    this.#deadline = clock.setTimer(this.#until - clock.now(), () => {
      this.fail(new TransactionTimeout("no final response came in the time for all attempts"));
      this.exchange.abandon();
    });
  }

  #forget(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
    this.#original = undefined;
    this.#way = undefined;
  }
}

function isUnreachable(failure: Response | SipError): boolean {
  return failure instanceof TransportError && failure.code !== "SIP_CONNECTION_CLOSED";
}

/** How long a server that is overloaded wants to be left alone, in milliseconds. RFC 3261 §21.5.4 */
function retryTime(response: Response): number | undefined {
  try {
    const seconds = response.headers.read(retryAfter);
    return seconds && seconds * 1_000;
  } catch {
    return undefined; // malformed
  }
}
