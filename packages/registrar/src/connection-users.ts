/** How many bindings each user has on one connection; most connections have one user with one. */
type Users = string | Map<string, number>;

/**
 * Whose bindings are reached by which connection, by its number: what becomes of a lost connection's is found without a
 * walk through the store. As large as what is bound to connections.
 *
 * RFC 5626 §7
 */
export class ConnectionUsers {
  readonly #users = new Map<number, Users>();

  /** How many connections have bindings. */
  get size(): number {
    return this.#users.size;
  }

  add(connection: number, addressOfRecord: string): void {
    const users = this.#users.get(connection);
    if (users === undefined) this.#users.set(connection, addressOfRecord);
    else if (typeof users === "string") {
      const counts = new Map([[users, 1]]);
      this.#users.set(connection, counts);
      increment(counts, addressOfRecord, 1);
    } else increment(users, addressOfRecord, 1);
  }

  delete(connection: number, addressOfRecord: string): void {
    const users = this.#users.get(connection);
    if (users === addressOfRecord) this.#users.delete(connection);
    else if (typeof users === "object") {
      increment(users, addressOfRecord, -1);
      if (users.size === 0) this.#users.delete(connection);
    }
  }

  /** Whose bindings a connection had that is gone now. */
  take(connection: number): readonly string[] {
    const users = this.#users.get(connection);
    if (users === undefined) return [];
    this.#users.delete(connection);
    return typeof users === "string" ? [users] : [...users.keys()];
  }
}

function increment(counts: Map<string, number>, user: string, by: number): void {
  const count = (counts.get(user) ?? 0) + by;
  if (count > 0) counts.set(user, count);
  else counts.delete(user);
}
