import { ParseError } from "../errors.ts";
import { contentLengthOf } from "./content-length-of.ts";

/** Whom a framer tells what it found, synchronously and in order. */
export interface FrameSink {
  /** One whole message. The bytes are the sink's to keep. */
  message(bytes: Uint8Array): void;
  /** A double CRLF between messages: the other side asks for a CRLF. */
  ping(): void;
  /** A frame that holds no message and asks for nothing. */
  keepAlive(): void;
  /** Nothing that follows can be told apart any more. `head` is what was read of the message at fault. */
  malformed(error: ParseError, head: Uint8Array): void;
}

const HT = 9;
const LF = 10;
const CR = 13;
const SP = 32;
const NONE = -1;
const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * Cuts a byte stream into SIP messages by their Content-Length. Each byte is looked at once and copied a bounded number
 * of times, however the stream is split; a chunk that holds whole messages is not copied at all. Lines end with CR LF
 * or LF, as in the parser.
 *
 * RFC 3261 §7.5, §18.3, RFC 5626 §4.4.1
 */
export class StreamFramer {
  readonly #sink: FrameSink;
  readonly #maxMessage: number;
  /** What came of the message that isn't whole yet; its first `#length` bytes count. */
  #bytes: Uint8Array = NOTHING;
  #length = 0;
  /** Whether `#bytes` is ours, with room to grow into, and not a part of a chunk. */
  #owned = false;
  /** Up to where line ends were looked for. */
  #scanned = 0;
  /** Where the present line begins. */
  #line = 0;
  /** Where the present header begins, folded lines included; `NONE` in the start line. */
  #field = NONE;
  #contentLength = NONE;
  /** How long the whole message is; `NONE` until its head is complete. */
  #end = NONE;
  /** How much of CR LF CR LF was seen between messages. */
  #ping = 0;
  /** Whether what came is one whole frame. */
  #framed = false;
  #stopped = false;

  constructor(sink: FrameSink, maxMessage: number) {
    this.#sink = sink;
    this.#maxMessage = maxMessage;
  }

  /** Whether a message has begun and isn't whole. */
  get partial(): boolean {
    return this.#length > 0;
  }

  /** Ignores all that comes from now on. */
  stop(): void {
    this.#stopped = true;
    this.#bytes = NOTHING;
    this.#length = 0;
  }

  /** Takes the next bytes of the stream. They must not change afterwards. */
  push(chunk: Uint8Array): void {
    if (this.#stopped) return;
    if (this.#length > 0) {
      this.#append(chunk);
    } else {
      this.#bytes = chunk;
      this.#length = chunk.length;
      this.#owned = false;
    }
    while (!this.#stopped && this.#length > 0) {
      if (this.#line === 0 && this.#scanned === 0 && this.#skipBetween()) continue;
      if (this.#end === NONE && !this.#readHead()) break;
      if (this.#stopped || this.#length < this.#end) break;
      this.#deliver();
    }
    if (this.#length > 0 && !this.#owned) this.#keep();
  }

  /**
   * Takes one frame of a protocol that has frames of its own: it holds one whole message and nothing else, whose
   * Content-Length may be left out, or line ends alone to keep the connection alive.
   *
   * RFC 7118 §5, §6
   */
  frame(frame: Uint8Array): void {
    if (this.#stopped) return;
    let start = 0;
    while (frame[start] === CR || frame[start] === LF) start += 1;
    if (start === frame.length) {
      // A double CRLF asks for a CRLF; one alone is the answer to that. RFC 5626 §4.4.1
      if (start < 4) this.#sink.keepAlive();
      else this.#sink.ping();
      return;
    }
    this.#bytes = start === 0 ? frame : frame.subarray(start);
    this.#length = this.#bytes.length;
    this.#framed = true;
    if (!this.#readHead()) {
      if (!this.#stopped) this.#fail("The frame ends before the message's head", 400);
    } else if (this.#end !== this.#length) {
      const fault = this.#end > this.#length ? "Body shorter" : "Body longer";
      this.#fail(`${fault} than Content-Length`, 400);
    } else {
      this.#deliver();
    }
  }

  /** Takes the CR and LF before a message off; `true` when something was taken. */
  #skipBetween(): boolean {
    let at = 0;
    for (; at < this.#length; at += 1) {
      const byte = this.#bytes[at];
      if (byte !== CR && byte !== LF) break;
      if (byte === (this.#ping % 2 === 0 ? CR : LF)) this.#ping += 1;
      else this.#ping = byte === CR ? 1 : 0;
      if (this.#ping === 4) {
        this.#ping = 0;
        this.#sink.ping();
      }
    }
    if (at < this.#length) this.#ping = 0;
    if (at > 0) this.#drop(at);
    return at > 0;
  }

  /** Looks through what came of the head; `true` when it is complete and `#end` is known. */
  #readHead(): boolean {
    const bytes = this.#bytes;
    const length = this.#length;
    for (;;) {
      if (this.#line > 0 && this.#line === this.#scanned) {
        // At the beginning of a line: only its first byte tells whether the header before it goes on.
        const first = this.#line < length ? bytes[this.#line] : undefined;
        if (first === undefined) break;
        if (first !== SP && first !== HT) {
          if (first === CR && this.#line + 1 === length) break;
          if (!this.#endField()) return false;
          this.#field = this.#line;
          const width = first === LF ? 1 : first === CR && bytes[this.#line + 1] === LF ? 2 : 0;
          if (width > 0) return this.#endHead(this.#line + width);
        }
      }
      const end = indexOfLf(bytes, this.#scanned, length);
      if (end === NONE) {
        // A line that is begun is looked at again from here; its beginning was judged above.
        if (length > this.#line) this.#scanned = length;
        break;
      }
      this.#scanned = end + 1;
      this.#line = end + 1;
    }
    if (length > this.#maxMessage) this.#fail("Message head too long", 513);
    return false;
  }

  /** Looks at the header that is complete now; `false` when it breaks the framing. */
  #endField(): boolean {
    if (this.#field === NONE) return true;
    const value = contentLengthOf(this.#bytes, this.#field, this.#line);
    if (value === undefined) return true;
    if (!/^[0-9]+$/.test(value)) return this.#fail("Content-Length is not a number", 400);
    const number = Number(value);
    if (this.#contentLength !== NONE && this.#contentLength !== number) {
      return this.#fail("Two different Content-Length values", 400);
    }
    this.#contentLength = number;
    return true;
  }

  #endHead(end: number): boolean {
    if (end > this.#maxMessage) return this.#fail("Message head too long", 513);
    if (this.#framed) {
      this.#end = this.#contentLength === NONE ? this.#length : end + this.#contentLength;
      return true;
    }
    // RFC 3261 §18.3: on a stream Content-Length must be there.
    if (this.#contentLength === NONE) return this.#fail("Content-Length is missing", 400);
    if (this.#contentLength > this.#maxMessage - end) return this.#fail("Message too long", 413);
    this.#end = end + this.#contentLength;
    return true;
  }

  #deliver(): void {
    const message = this.#bytes.subarray(0, this.#end);
    this.#drop(this.#end);
    this.#sink.message(message);
  }

  /** Forgets the first `count` bytes and stands between messages. */
  #drop(count: number): void {
    // Not even an empty part of a chunk is kept: it would keep the chunk.
    this.#bytes = count < this.#length ? this.#bytes.subarray(count, this.#length) : NOTHING;
    this.#length = this.#bytes.length;
    this.#owned = false;
    this.#scanned = 0;
    this.#line = 0;
    this.#field = NONE;
    this.#contentLength = NONE;
    this.#end = NONE;
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length || !this.#owned) this.#grow(length);
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** Copies what is left of a chunk, so that a few bytes don't hold 64 KiB. */
  #keep(): void {
    if (this.#bytes.length * 2 < this.#bytes.buffer.byteLength) this.#grow(this.#length);
  }

  #grow(length: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(1024, length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#owned = true;
  }

  #fail(message: string, status: number): false {
    const head = this.#bytes.subarray(0, this.#length);
    this.stop();
    const error = new ParseError(message, {
      status,
      ...(message.includes("Content-Length") ? { header: "Content-Length" } : {}),
    });
    this.#sink.malformed(error, head);
    return false;
  }
}

function indexOfLf(bytes: Uint8Array, from: number, to: number): number {
  // The built-in search is the faster one, but would run on into what lies behind `to`.
  if (bytes.length === to) return bytes.indexOf(LF, from);
  for (let at = from; at < to; at += 1) if (bytes[at] === LF) return at;
  return NONE;
}
