import type { Arrival } from "../arrival.ts";
import { ParseError, SipError } from "../errors.ts";
import { type Random, systemRandom } from "../random.ts";
import { answerLines } from "./answer-lines.ts";
import { ackOf, cancelOf, type Follower } from "./follow-up.ts";
import { Head } from "./head.ts";
import { to } from "./header/to.ts";
import type { HeaderLine } from "./header-line.ts";
import { TO } from "./header-names.ts";
import { headOf, Message, type MessageInit } from "./message.ts";
import type { Method } from "./method.ts";
import { isSip20 } from "./octets.ts";
import { lineEnd, parseHead, startOf } from "./parse-head.ts";
import { defaultParseLimits, type ParseLimits } from "./parse-limits.ts";
import { answerTo, Response, type ResponseOptions } from "./response.ts";
import { isStatusLine, parseRequestLine } from "./start-line.ts";
import { isTokenText } from "./text.ts";
import { fromWire, toWire } from "./utf8.ts";
import { Wire } from "./wire.ts";

/** What a request may be made with. */
export type RequestInit = MessageInit;

/** Makes the To tags of our answers. */
export interface Tagger {
  tag(request: Request): string;
}

/** What the dispatcher knows of a request that arrived. */
export interface Seal {
  readonly arrival: Arrival;
  readonly tagger: Tagger;
}

let sealIt: (request: Request, seal: Seal) => void;
let abortIt: (request: Request) => void;
let isHeld: (request: Request) => boolean;
let tagIt: (request: Request) => string;

/** Notes how a request arrived; its lines as they are now are those that answers copy. For the dispatcher. */
export function seal(request: Request, how: Seal): void {
  sealIt(request, how);
}

/** Aborts the request's signal, also when it is first read afterwards. For the dispatcher. */
export function abortRequest(request: Request): void {
  abortIt(request);
}

/** Whether somebody has read the request's signal. For the dispatcher. */
export function signalHeld(request: Request): boolean {
  return isHeld(request);
}

/** The To tag of our answers to a request: its own when it has one. For the dispatcher. */
export function toTagOf(request: Request): string {
  return tagIt(request);
}

const VERSION_LENGTH = 7;
const SP = 0x20;
const DEL = 0x7f;

let random: Random | undefined;

/** A request. RFC 3261 §7.1 */
export class Request extends Message {
  #method: Method;
  #uri: string;
  #touched: boolean;
  #arrival: Arrival | undefined = undefined;
  #tagger: Tagger | undefined = undefined;
  #tag: string | undefined = undefined;
  #received: readonly HeaderLine[] | undefined = undefined;
  #abort: AbortController | undefined = undefined;
  #aborted = false;

  static {
    sealIt = (request, { arrival, tagger }) => {
      request.#arrival = arrival;
      request.#tagger = tagger;
      request.#received = headOf(request).headers.snapshot();
    };
    abortIt = (request) => {
      request.#aborted = true;
      request.#abort?.abort();
    };
    isHeld = (request) => request.#abort !== undefined;
    tagIt = (request) => request.#toTag();
  }

  /**
   * @param uri without angle brackets
   */
  constructor(method: Method, uri: string, init: RequestInit = {}) {
    super(init);
    this.#method = method;
    this.#uri = uri;
    this.#touched = !(init instanceof Head);
    if (this.#touched) {
      checkMethod(method);
      checkUri(uri);
    }
  }

  /** Reads a request: bytes, or a wire string. Throws a `ParseError`, also for a response. */
  static parse(bytes: Uint8Array | string, limits: ParseLimits = defaultParseLimits): Request {
    const wire = Wire.of(bytes);
    const start = startOf(wire.octets);
    if (isStatusLine(wire.octets, start)) throw new ParseError("Not a request", { offset: start });
    return Request.read(wire, start, limits);
  }

  /** @internal Reads on where it is known that this is no response. */
  static read(wire: Wire, start: number, limits: ParseLimits): Request {
    const { text } = wire;
    const end = lineEnd(text, start);
    const { methodEnd, uriStart, uriEnd } = parseRequestLine(wire.octets, start, end, limits);
    const method = text.slice(start, methodEnd);
    const head = parseHead(wire, start, end, limits);
    const uri = text.slice(uriStart, uriEnd);
    const request = new Request(method, wire.eightBit ? fromWire(uri) : uri, head as RequestInit);
    // RFC 4475 §3.1.2.7: brackets that were taken off must not be sent on. §7.1: the version is sent in capitals.
    request.#touched = uriStart > methodEnd + 1 || !isSip20(wire.octets, end - VERSION_LENGTH);
    return request;
  }

  get isRequest(): true {
    return true;
  }

  /** Setting it leaves CSeq alone. */
  get method(): Method {
    return this.#method;
  }

  set method(method: Method) {
    checkMethod(method);
    this.#method = method;
    this.#touched = true;
  }

  /** The request-URI, without the angle brackets that some clients put around it. */
  get uri(): string {
    return this.#uri;
  }

  set uri(uri: string) {
    checkUri(uri);
    this.#uri = uri;
    this.#touched = true;
  }

  /** How it reached us; `undefined` when it was made here. */
  get arrival(): Arrival | undefined {
    return this.#arrival;
  }

  /** Aborted by CANCEL, by the server's close, or when the connection is lost. Made when first read. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /**
   * An answer: Via, From, To, Call-ID, CSeq, and Record-Route where the status asks for it, as they were received,
   * whatever was changed since. To gets a tag unless it has one, or the status is 100.
   *
   * RFC 3261 §8.2.6
   */
  createResponse(status: number, options: ResponseOptions = {}): Response {
    const received = this.#receivedLines();
    const tag = status > 100 && this.#ownTag() === undefined ? this.#toTag() : undefined;
    const response = new Response(status, options);
    headOf(response).headers.putFirst(answerLines(received, status, tag));
    return answerTo(response, this, options.stateless ?? false);
  }

  /**
   * The ACK to a final response: to one that isn't 2xx hop by hop (§17.1.1.3), with the request's topmost Via; to a
   * 2xx end to end (§13.2.2.4), without a Via.
   */
  createAck(response: Response): Request {
    return follow("ACK", ackOf(this, response));
  }

  /** The CANCEL of this request, with its topmost Via. RFC 3261 §9.1 */
  createCancel(): Request {
    return follow("CANCEL", cancelOf(this));
  }

  /** A copy, with arrival and facts and without the signal: what is changed on it doesn't change this. */
  clone(): Request {
    const clone = new Request(this.#method, this.#uri, headOf(this).copy() as RequestInit);
    clone.#touched = this.#touched;
    clone.#arrival = this.#arrival;
    clone.#tagger = this.#tagger;
    clone.#tag = this.#tag;
    clone.#received = this.#received;
    clone.adopt(this);
    return clone;
  }

  protected startLine(): string | undefined {
    return this.#touched ? `${this.#method} ${toWire(this.#uri)} SIP/2.0\r\n` : undefined;
  }

  #receivedLines(): readonly HeaderLine[] {
    return this.#received ?? headOf(this).headers.lines;
  }

  /** The tag that To came with. */
  #ownTag(): string | undefined {
    for (const line of this.#receivedLines()) {
      if (line.id === TO) return line.tag === null ? line.read(to)?.tag : line.tag;
    }
    return undefined;
  }

  #toTag(): string {
    const own = this.#ownTag();
    if (own !== undefined) return own;
    if (this.#tag === undefined) {
      if (this.#tagger !== undefined) this.#tag = this.#tagger.tag(this);
      else {
        random ??= systemRandom();
        this.#tag = random.token();
      }
    }
    return this.#tag;
  }
}

function follow(method: Method, { uri, lines }: Follower): Request {
  const request = new Request(method, uri, {});
  headOf(request).headers.putFirst(lines);
  return request;
}

function checkMethod(method: string): void {
  if (!isTokenText(method)) throw new SipError("SIP_BAD_METHOD", "a method must be a token");
}

/** Of what lies beyond ASCII nothing is white space on the wire: what was parsed must pass here. */
function checkUri(uri: string): void {
  let i = 0;
  while (i < uri.length && uri.charCodeAt(i) > SP && uri.charCodeAt(i) !== DEL) i++;
  if (i < uri.length || uri === "") {
    throw new SipError(
      "SIP_BAD_URI",
      "a request-URI must not be empty, or hold white space or controls",
    );
  }
}
