import { Buffer } from "node:buffer";
import type { Random } from "../random.ts";

const UINT32 = 0x1_0000_0000;
const TOKEN_BYTES = 12;

/**
 * Chance that a seed decides: the same seed gives the same draws in the same order. Not for anything that must be
 * secret.
 *
 * @example
 * const random = new SeededRandom(7);
 * random.pick(["alice", "bob"]);
 */
export class SeededRandom implements Random {
  readonly #seed: string;
  // The state of sfc32, Chris Doty-Humphrey's small fast counting generator.
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  constructor(seed: number | string) {
    this.#seed = `${seed}`;
    // FNV-1a over the seed's characters; the rounds thrown away spread what differs over all of the state.
    let hash = 0x811c_9dc5;
    for (let i = 0; i < this.#seed.length; i++) {
      hash = Math.imul(hash ^ this.#seed.charCodeAt(i), 0x0100_0193);
      this.#c = Math.imul(this.#c ^ hash, 0x9e37_79b1);
    }
    this.#a = hash;
    this.#b = this.#seed.length;
    for (let round = 0; round < 16; round++) this.#draw();
  }

  /** At least 0 and less than 1. */
  number(): number {
    return this.#draw() / UINT32;
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.number() * (most - least + 1));
  }

  /** Whether something happens that has this probability. Draws nothing where that is sure. */
  chance(probability: number): boolean {
    if (probability <= 0) return false;
    return probability >= 1 || this.number() < probability;
  }

  /** One of a list, which must not be empty. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError("there is nothing to pick from");
    return list[this.integer(0, list.length - 1)] as T;
  }

  bytes(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i += 4) {
      const word = this.#draw();
      for (let j = i; j < Math.min(i + 4, size); j++) bytes[j] = word >>> (8 * (j - i));
    }
    return bytes;
  }

  token(): string {
    return Buffer.from(this.bytes(TOKEN_BYTES)).toString("base64url");
  }

  /** Chance of its own, decided by this one's seed and a name: what is drawn here changes nothing there. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${name}`);
  }

  #draw(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
