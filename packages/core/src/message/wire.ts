import { Buffer, isAscii } from "node:buffer";

/**
 * A wire string, one character a byte, beside its octets: they are faster to look at, it is faster to cut and to
 * search.
 */
export class Wire {
  readonly text: string;
  /** The octets of the text, and perhaps more. What isn't latin1 in a text that never was on the wire is 0xff. */
  readonly octets: Buffer;
  #eightBit: boolean | undefined;

  constructor(text: string, octets: Buffer) {
    this.text = text;
    this.octets = octets;
  }

  /** Whether there are octets beyond ASCII. */
  get eightBit(): boolean {
    this.#eightBit ??= !isAscii(this.octets);
    return this.#eightBit;
  }

  /** Bytes as they came; or a wire string. */
  static of(bytes: Uint8Array | string): Wire {
    if (typeof bytes !== "string") {
      // One class of them all: the engine reads two more slowly.
      const octets =
        bytes.constructor === Buffer
          ? (bytes as Buffer)
          : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      return new Wire(latin1(octets), octets);
    }
    // One octet more: what is read up to an octet that ends it needn't look for the end of the text.
    const octets = Buffer.from(`${bytes}\n`, "latin1");
    for (let i = 0; i < bytes.length; i++) {
      if (bytes.charCodeAt(i) > 0xff) octets[i] = 0xff;
    }
    return new Wire(bytes, octets);
  }
}

/** Bytes as a wire string. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length);
}

/** A wire string's bytes. */
export function bytesOf(wire: string): Uint8Array {
  const bytes = Buffer.from(wire, "latin1");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

const BACKSLASH = 0x5c;

/**
 * The position after the quote that closes the quoted string which `start` opens; -1 when none does.
 *
 * RFC 3261 §25.1
 */
export function skipQuoted({ text, octets }: Wire, start: number, end: number): number {
  let close = text.indexOf('"', start + 1);
  while (close > 0 && close < end) {
    let before = close;
    while (before - 1 > start && octets[before - 1] === BACKSLASH) before--;
    // A quote after an odd number of backslashes is escaped.
    if (((close - before) & 1) === 0) return close + 1;
    close = text.indexOf('"', close + 1);
  }
  return -1;
}
