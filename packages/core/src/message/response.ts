import { ParseError, SipError } from "../errors.ts";
import { headOf, Message, type MessageInit } from "./message.ts";
import type { Method } from "./method.ts";
import { isSip20 } from "./octets.ts";
import { lineEnd, parseHead, startOf } from "./parse-head.ts";
import { defaultParseLimits, type ParseLimits } from "./parse-limits.ts";
import type { Request } from "./request.ts";
import { isStatusLine, parseStatusLine } from "./start-line.ts";
import { reasonPhrase } from "./status.ts";
import { fromWire, toWire } from "./utf8.ts";
import { Wire } from "./wire.ts";

/** What a response may be made with. */
export interface ResponseInit extends MessageInit {
  /** Default: the phrase that goes with the status. */
  readonly reason?: string;
}

/** What an answer to a request may be made with. */
export interface ResponseOptions extends ResponseInit {
  /** Nothing of the request is kept: a retransmission of it runs again. RFC 3261 §8.2.7 */
  readonly stateless?: boolean;
}

let answer: (response: Response, request: Request | undefined, stateless: boolean) => void;

/** Tells a response which request of ours it answers. For the dispatcher. */
export function setResponseRequest(response: Response, request: Request | undefined): void {
  answer(response, request, response.stateless);
}

/** As {@link setResponseRequest}, where the response is made. */
export function answerTo(response: Response, request: Request, stateless: boolean): Response {
  answer(response, request, stateless);
  return response;
}

/** A response. RFC 3261 §7.2 */
export class Response extends Message {
  #status: number;
  /** `undefined`: as it came, or by the status. */
  #reason: string | undefined;
  #reasonStart: number;
  #touched: boolean;
  #request: Request | undefined = undefined;
  #stateless = false;

  static {
    answer = (response, request, stateless) => {
      response.#request = request;
      response.#stateless = stateless;
    };
  }

  /**
   * @param status 100 to 699
   */
  constructor(status: number, init: ResponseInit = {}) {
    super(init);
    this.#status = checkedStatus(status);
    this.#reason = init.reason === undefined ? undefined : checkedReason(init.reason);
    this.#reasonStart = -1;
    this.#touched = true;
  }

  /** Reads a response: bytes, or a wire string. Throws a `ParseError`, also for a request. */
  static parse(bytes: Uint8Array | string, limits: ParseLimits = defaultParseLimits): Response {
    const wire = Wire.of(bytes);
    const start = startOf(wire.octets);
    if (!isStatusLine(wire.octets, start))
      throw new ParseError("Not a response", { offset: start });
    return Response.read(wire, start, limits);
  }

  /** @internal Reads on where it is known that this is a response. */
  static read(wire: Wire, start: number, limits: ParseLimits): Response {
    const end = lineEnd(wire.text, start);
    const { status, reason } = parseStatusLine(wire.octets, start, end);
    const head = parseHead(wire, start, end, limits);
    const response = new Response(status, head as MessageInit);
    response.#reasonStart = reason;
    // §7.1: the version is sent in capitals.
    response.#touched = !isSip20(wire.octets, start);
    return response;
  }

  get isRequest(): false {
    return false;
  }

  /** The method of CSeq. */
  get method(): Method {
    return this.cseq.method;
  }

  get status(): number {
    return this.#status;
  }

  /** Sets the reason phrase that goes with it, too. */
  set status(status: number) {
    this.#status = checkedStatus(status);
    this.#reason = undefined;
    this.#reasonStart = -1;
    this.#touched = true;
  }

  /** The reason phrase; may be empty. */
  get reason(): string {
    if (this.#reason !== undefined) return this.#reason;
    if (this.#reasonStart < 0) return reasonPhrase(this.#status);
    const { text } = headOf(this);
    return fromWire(text.slice(this.#reasonStart, lineEnd(text, this.#reasonStart)));
  }

  set reason(reason: string) {
    this.#reason = checkedReason(reason);
    this.#touched = true;
  }

  /** Nothing of its request is kept. RFC 3261 §8.2.7 */
  get stateless(): boolean {
    return this.#stateless;
  }

  /** The request of ours that it answers; `undefined` for one that left no state. */
  get request(): Request | undefined {
    return this.#request;
  }

  /** A copy: what is changed on it doesn't change this. */
  clone(): Response {
    const clone = new Response(this.#status, headOf(this).copy() as MessageInit);
    clone.#reason = this.#reason;
    clone.#reasonStart = this.#reasonStart;
    clone.#touched = this.#touched;
    clone.#request = this.#request;
    clone.#stateless = this.#stateless;
    clone.adopt(this);
    return clone;
  }

  protected startLine(): string | undefined {
    return this.#touched ? `SIP/2.0 ${this.#status} ${toWire(this.reason)}\r\n` : undefined;
  }
}

function checkedStatus(status: number): number {
  if (Number.isInteger(status) && status >= 100 && status <= 699) return status;
  throw new SipError("SIP_BAD_STATUS", "a status is a whole number from 100 to 699");
}

function checkedReason(reason: string): string {
  if (!/[\r\n\0]/.test(reason)) return reason;
  throw new SipError("SIP_BAD_HEADER", "a reason phrase must not hold CR, LF or NUL");
}
