const FIN = 0x80;
const OPCODE = 0x0f;
const MASK = 0x80;
const LENGTH = 0x7f;
/** The lowest opcode of a control frame: close, ping, pong. */
const CONTROL = 0x08;

/**
 * Follows the frames of a WebSocket without looking at what is in them: whether a message has begun and isn't whole, and
 * how many frames came that end none. What breaks the protocol is another's to find.
 *
 * RFC 6455 §5.2
 */
export class FrameMeter {
  /** How much of the frame's header was read, and how long it is. */
  #read = 0;
  #header = 2;
  #first = 0;
  /** The payload's length, of which the last byte comes before the mask. */
  #length = 0;
  #lengthEnd = 2;
  /** How much of the payload is to come. */
  #left = 0;
  #fragmented = false;

  /** Whether a frame or a fragmented message has begun and isn't whole. */
  get partial(): boolean {
    return this.#read > 0 || this.#fragmented;
  }

  /** Takes the next bytes; gives how many frames they complete that end no message: control frames and fragments. */
  push(chunk: Uint8Array): number {
    let others = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#read < this.#header) {
        this.#readHeader(chunk[at] ?? 0);
        at += 1;
      } else {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
      }
      if (this.#read === this.#header && this.#left === 0) others += this.#end();
    }
    return others;
  }

  #readHeader(byte: number): void {
    if (this.#read === 0) {
      this.#first = byte;
    } else if (this.#read === 1) {
      const length = byte & LENGTH;
      const more = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#lengthEnd = 2 + more;
      this.#header = this.#lengthEnd + (byte & MASK ? 4 : 0);
      this.#length = more === 0 ? length : 0;
    } else if (this.#read < this.#lengthEnd) {
      this.#length = this.#length * 256 + byte;
    }
    this.#read += 1;
    if (this.#read === this.#header) this.#left = this.#length;
  }

  #end(): number {
    this.#read = 0;
    this.#header = 2;
    if ((this.#first & OPCODE) >= CONTROL) return 1;
    this.#fragmented = (this.#first & FIN) === 0;
    return this.#fragmented ? 1 : 0;
  }
}
