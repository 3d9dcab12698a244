import { NONE } from "./binding-table.ts";

/** Slots that one page looks at, empty ones too: those of a store that was much larger once. */
const MOST_STEPS = 10_000;

/** The rows of a page of users, and the slot that the next page begins with; `undefined`: that was the last one. */
export interface SlotPage {
  readonly rows: readonly number[];
  readonly next: number | undefined;
}

/**
 * A number for each user, which is hers for as long as she has bindings, and with it the row of her first one. Whoever
 * goes through the numbers meets everybody who is there all the time once, whatever comes and goes meanwhile.
 */
export class UserSlots {
  /** A row; of a slot that is free what comes after it among the free ones, as `-2 - slot`. */
  readonly #rows: number[] = [];
  #free = NONE;

  add(row: number): number {
    const slot = this.#free;
    if (slot === NONE) return this.#rows.push(row) - 1;
    this.#free = -2 - (this.#rows[slot] as number);
    this.#rows[slot] = row;
    return slot;
  }

  remove(slot: number): void {
    this.#rows[slot] = -2 - this.#free;
    this.#free = slot;
  }

  row(slot: number): number {
    return this.#rows[slot] as number;
  }

  setRow(slot: number, row: number): void {
    this.#rows[slot] = row;
  }

  /** At most `limit` rows, from a slot on. It may be fewer before the last page. */
  page(from: number, limit: number): SlotPage {
    const rows: number[] = [];
    const end = Math.min(from + MOST_STEPS, this.#rows.length);
    let slot = from;
    for (; slot < end && rows.length < limit; slot += 1) {
      const row = this.row(slot);
      if (row >= 0) rows.push(row);
    }
    return { rows, next: slot < this.#rows.length ? slot : undefined };
  }
}
