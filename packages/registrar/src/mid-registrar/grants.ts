import { detach } from "@sipkit/core";

/** Entries that are looked at for each that is added. */
const LOOKS = 2;

/**
 * Until when each of our Contacts lasts at the other registrar, as far as this process has been told. What is forgotten is
 * asked for again with the next refresh.
 */
export class Grants {
  readonly #until = new Map<string, number>();
  readonly #size: number;
  readonly #onForget: () => void;

  /** `onForget`: one went that still held. */
  constructor(size: number, onForget: () => void) {
    this.#size = size;
    this.#onForget = onForget;
  }

  get size(): number {
    return this.#until.size;
  }

  /** Milliseconds since 1970; 0: not known. */
  until(key: string): number {
    return this.#until.get(key) ?? 0;
  }

  set(key: string, until: number, now: number): void {
    const own = detach(key);
    this.#until.delete(own);
    this.#until.set(own, until);
    this.#trim(now);
  }

  delete(key: string): void {
    this.#until.delete(key);
  }

  /** Those that were granted first end first, but for what the other registrar shortened. */
  #trim(now: number): void {
    let looks = LOOKS;
    for (const [key, until] of this.#until) {
      const isOver = until <= now;
      if (!isOver && this.#until.size <= this.#size) return;
      this.#until.delete(key);
      if (!isOver) this.#onForget();
      looks -= 1;
      if (looks === 0) return;
    }
  }
}
