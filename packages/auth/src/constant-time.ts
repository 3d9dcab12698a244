import { timingSafeEqual } from "node:crypto";

/**
 * Compares ASCII texts of one length in a time that tells nothing of where they differ. That a text has another length
 * is told at once.
 */
export class ConstantTime {
  readonly #a: Buffer;
  readonly #b: Buffer;

  constructor(length: number) {
    this.#a = Buffer.alloc(length);
    this.#b = Buffer.alloc(length);
  }

  equal(a: string, b: string): boolean {
    const { length } = this.#a;
    if (a.length !== length || b.length !== length) return false;
    this.#a.write(a, "latin1");
    this.#b.write(b, "latin1");
    return timingSafeEqual(this.#a, this.#b);
  }
}
