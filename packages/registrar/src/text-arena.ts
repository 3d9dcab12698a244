import { Buffer } from "node:buffer";

const UNIT = 32;
const CHUNK = 1 << 20;
const UNITS_A_CHUNK = CHUNK / UNIT;
/** Before each text: twice its length in bytes, and one more when its characters take two bytes. */
const HEAD = 4;

/**
 * Texts in a few large pieces of memory outside of the engine's heap, where a million of them cost the collector
 * nothing. Blocks are multiples of 32 bytes; one that is free is used again for a text that needs just as many.
 */
export class TextArena {
  #chunks: Buffer[] = [];
  /** Where the last chunk is used up to, in units. */
  #end = UNITS_A_CHUNK;
  /** Handles of free blocks by their size in units. */
  #free = new Map<number, number[]>();
  #texts = 0;

  /** How many texts are kept. */
  get size(): number {
    return this.#texts;
  }

  /** Keeps a text, which shares nothing with the one given, and gives its handle. */
  put(text: string): number {
    const latin1 = isLatin1(text);
    const bytes = latin1 ? text.length : text.length * 2;
    const handle = this.#allocate(Math.ceil((HEAD + bytes) / UNIT));
    const chunk = this.#chunkOf(handle);
    const start = offsetOf(handle);
    chunk.writeUInt32LE(bytes * 2 + (latin1 ? 0 : 1), start);
    chunk.write(text, start + HEAD, bytes, latin1 ? "latin1" : "utf16le");
    this.#texts += 1;
    return handle;
  }

  get(handle: number): string {
    const chunk = this.#chunkOf(handle);
    const start = offsetOf(handle);
    const head = chunk.readUInt32LE(start);
    const end = start + HEAD + (head >>> 1);
    return chunk.toString(head & 1 ? "utf16le" : "latin1", start + HEAD, end);
  }

  delete(handle: number): void {
    this.#texts -= 1;
    if (this.#texts === 0) {
      this.#chunks = [];
      this.#end = UNITS_A_CHUNK;
      this.#free = new Map();
      return;
    }
    const bytes = this.#chunkOf(handle).readUInt32LE(offsetOf(handle)) >>> 1;
    const units = Math.ceil((HEAD + bytes) / UNIT);
    const free = this.#free.get(units);
    if (free === undefined) this.#free.set(units, [handle]);
    else free.push(handle);
  }

  #allocate(units: number): number {
    const free = this.#free.get(units)?.pop();
    if (free !== undefined) return free;
    if (this.#end + units > UNITS_A_CHUNK) {
      // A text that is longer than a chunk gets a chunk to its measure.
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.max(CHUNK, units * UNIT)));
      this.#end = 0;
    }
    const handle = (this.#chunks.length - 1) * UNITS_A_CHUNK + this.#end;
    this.#end += units;
    return handle;
  }

  #chunkOf(handle: number): Buffer {
    return this.#chunks[Math.floor(handle / UNITS_A_CHUNK)] as Buffer;
  }
}

function offsetOf(handle: number): number {
  return (handle % UNITS_A_CHUNK) * UNIT;
}

function isLatin1(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0xff) return false;
  }
  return true;
}
