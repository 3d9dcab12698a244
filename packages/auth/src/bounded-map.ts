/** A `Map` of so many entries and no more: whatever was set longest ago goes first. */
export class BoundedMap<V> {
  readonly #entries = new Map<string, V>();
  readonly #size: number;
  readonly #isOver: (value: V, now: number) => boolean;
  readonly #onForget: () => void;

  /** `isOver`: whether an entry says nothing any more; `onForget`: one went that still did. */
  constructor(size: number, isOver: (value: V, now: number) => boolean, onForget: () => void) {
    this.#size = size;
    this.#isOver = isOver;
    this.#onForget = onForget;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** Sets it as the newest. The key must share no memory with a datagram. */
  set(key: string, value: V, now: number): void {
    if (!this.#entries.delete(key)) this.#makeRoom(now);
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.#entries[Symbol.iterator]();
  }

  /** Lets go of what is over, at most two at a time, and where there is no room then of the oldest. */
  #makeRoom(now: number): void {
    let looks = 2;
    for (const [key, value] of this.#entries) {
      const isOver = this.#isOver(value, now);
      if (!isOver && this.#entries.size < this.#size) return;
      this.#entries.delete(key);
      if (!isOver) this.#onForget();
      looks -= 1;
      if (looks === 0) return;
    }
  }
}
