/** Remembers for a time what was noted, and so many of them at most. */
export class RecentIds {
  readonly #keptFor: number;
  readonly #most: number;
  /** When each was noted, the earliest first. */
  readonly #noted = new Map<string, number>();

  /** `keptFor`: milliseconds. */
  constructor(keptFor: number, most: number) {
    this.#keptFor = keptFor;
    this.#most = most;
  }

  /** Whether there is room for another one. */
  hasRoom(now: number): boolean {
    if (this.#noted.size >= this.#most) this.#forget(now);
    return this.#noted.size < this.#most;
  }

  /** Of too many the earliest is forgotten. */
  note(id: string, now: number): void {
    if (this.#keptFor === 0) return;
    this.#noted.delete(id);
    if (!this.hasRoom(now)) {
      const [earliest] = this.#noted.keys();
      if (earliest !== undefined) this.#noted.delete(earliest);
    }
    this.#noted.set(id, now);
  }

  has(id: string, now: number): boolean {
    const noted = this.#noted.get(id);
    return noted !== undefined && now - noted < this.#keptFor;
  }

  #forget(now: number): void {
    for (const [id, noted] of this.#noted) {
      if (now - noted < this.#keptFor) break;
      this.#noted.delete(id);
    }
  }
}
