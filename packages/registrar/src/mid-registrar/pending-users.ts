/** How many REGISTERs of each user are under way. */
export class PendingUsers {
  readonly #counts = new Map<string, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Users with REGISTERs under way. */
  get size(): number {
    return this.#counts.size;
  }

  isFull(user: string): boolean {
    return this.#counts.size > 0 && (this.#counts.get(user) ?? 0) >= this.#most;
  }

  /** Counts one until it has settled. */
  async during<T>(user: string, outcome: Promise<T>): Promise<T> {
    this.#counts.set(user, (this.#counts.get(user) ?? 0) + 1);
    try {
      return await outcome;
    } finally {
      const left = (this.#counts.get(user) ?? 1) - 1;
      if (left === 0) this.#counts.delete(user);
      else this.#counts.set(user, left);
    }
  }
}
