interface Entry<T> {
  readonly key: string;
  readonly value: T;
  uses: number;
}

/**
 * One copy of what many bindings have in common, by number. Kept as long as somebody uses it.
 */
export class SharedValues<T> {
  readonly #entries: (Entry<T> | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #numbers = new Map<string, number>();

  /** How many different values are in use. */
  get size(): number {
    return this.#numbers.size;
  }

  get(number: number): T | undefined {
    return this.#entries[number]?.value;
  }

  /** The number of the value with that key, which is used once more. `make` gives value and key, its own copies. */
  use(key: string, make: () => { readonly key: string; readonly value: T }): number {
    const known = this.#numbers.get(key);
    const entry = known === undefined ? undefined : this.#entries[known];
    if (known !== undefined && entry !== undefined) {
      entry.uses += 1;
      return known;
    }
    const number = this.#free.pop() ?? this.#entries.length;
    const made = make();
    this.#entries[number] = { ...made, uses: 1 };
    this.#numbers.set(made.key, number);
    return number;
  }

  /** Undoes one `use`. */
  release(number: number): void {
    const entry = this.#entries[number];
    if (entry === undefined) return;
    entry.uses -= 1;
    if (entry.uses > 0) return;
    this.#numbers.delete(entry.key);
    this.#entries[number] = undefined;
    this.#free.push(number);
  }
}
