import { detach } from "@sipkit/core";

/**
 * Keeps one copy of a text that many bindings share. Bounded: when it is full it starts anew, and what was shared
 * before stays as it is.
 */
export class Interner {
  readonly #texts = new Map<string, string>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  share(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const own = detach(text);
    if (this.#texts.size >= this.#capacity) this.#texts.clear();
    this.#texts.set(own, own);
    return own;
  }
}
