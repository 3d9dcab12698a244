/**
 * Remembers the texts that were added last: at least half its capacity of them, never more than all of it. Two
 * generations, of which the elder goes as a whole: taking the eldest one out of a `Set` again and again walks over
 * the holes of those before it.
 */
export class RecentTexts {
  readonly #half: number;
  #younger = new Set<string>();
  #elder = new Set<string>();

  constructor(capacity: number) {
    this.#half = Math.floor(capacity / 2);
  }

  get size(): number {
    return this.#younger.size + this.#elder.size;
  }

  has(text: string): boolean {
    return this.#younger.has(text) || this.#elder.has(text);
  }

  add(text: string): void {
    if (this.#half === 0) return;
    this.#elder.delete(text);
    if (this.#younger.size >= this.#half && !this.#younger.has(text)) {
      this.#elder = this.#younger;
      this.#younger = new Set();
    }
    this.#younger.add(text);
  }

  delete(text: string): void {
    this.#younger.delete(text);
    this.#elder.delete(text);
  }
}
