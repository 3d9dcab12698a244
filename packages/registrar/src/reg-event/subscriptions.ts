import type { Subscription } from "./subscription.ts";

/** The subscriptions of a server, by dialog, by user and by connection. */
export class Subscriptions implements Iterable<Subscription> {
  readonly #byDialog = new Map<string, Subscription>();
  readonly #byUser = new Map<string, Set<Subscription>>();
  readonly #byConnection = new Map<number, Set<Subscription>>();

  get size(): number {
    return this.#byDialog.size;
  }

  get users(): number {
    return this.#byUser.size;
  }

  find(dialog: string): Subscription | undefined {
    return this.#byDialog.get(dialog);
  }

  has(subscription: Subscription): boolean {
    return this.#byDialog.get(subscription.dialog.key) === subscription;
  }

  to(addressOfRecord: string): ReadonlySet<Subscription> | undefined {
    return this.#byUser.get(addressOfRecord);
  }

  over(connection: number): ReadonlySet<Subscription> | undefined {
    return this.#byConnection.get(connection);
  }

  add(subscription: Subscription): void {
    const { dialog, addressOfRecord } = subscription;
    this.#byDialog.set(dialog.key, subscription);
    put(this.#byUser, addressOfRecord, subscription);
    if (dialog.connection !== undefined) put(this.#byConnection, dialog.connection, subscription);
  }

  delete(subscription: Subscription): void {
    const { dialog, addressOfRecord } = subscription;
    this.#byDialog.delete(dialog.key);
    take(this.#byUser, addressOfRecord, subscription);
    if (dialog.connection !== undefined) take(this.#byConnection, dialog.connection, subscription);
  }

  [Symbol.iterator](): Iterator<Subscription> {
    return this.#byDialog.values();
  }
}

function put<Key>(sets: Map<Key, Set<Subscription>>, key: Key, subscription: Subscription): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([subscription]));
  else set.add(subscription);
}

function take<Key>(sets: Map<Key, Set<Subscription>>, key: Key, subscription: Subscription): void {
  const set = sets.get(key);
  set?.delete(subscription);
  if (set?.size === 0) sets.delete(key);
}
