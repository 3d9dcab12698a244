import type { Table } from "./tables.ts";
import { UserIndex } from "./user-index.ts";

/** Remembers who had bindings and has none, a bounded number of them; who left first is forgotten first. */
export class Departed {
  readonly #numbers: Table;
  readonly #order: UserIndex;
  readonly #limit: number;

  constructor(numbers: Table, order: Table, limit: number) {
    this.#numbers = numbers;
    this.#order = new UserIndex(order);
    this.#limit = limit;
  }

  has(user: Buffer): boolean {
    return this.#numbers.doesExist(user);
  }

  /** Within a transaction, as `remove`. */
  add(user: Buffer): void {
    const number = (this.#order.last()?.number ?? 0) + 1;
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleBE(number);
    this.#numbers.putSync(user, bytes);
    this.#order.add(number, user);
    const tooMany = Math.min(2, this.#order.size - this.#limit);
    if (tooMany <= 0) return;
    for (const first of this.#order.first(tooMany)) this.remove(first.user);
  }

  remove(user: Buffer): void {
    const number = this.#numbers.getBinary(user);
    if (number === undefined) return;
    this.#numbers.removeSync(user);
    this.#order.remove(number.readDoubleBE(), user);
  }
}
