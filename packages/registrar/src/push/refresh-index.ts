import { detach } from "@sipkit/core";

/** Milliseconds that times are told apart by. */
export const SLOT = 5000;

/**
 * Users by when the first of their devices is to be woken. It is behind: a refresh leaves a user where she is, and she is
 * put where she belongs when that time comes. So a refresh costs a look, and a user one entry.
 */
export class RefreshIndex {
  readonly #most: number;
  readonly #slotOf = new Map<string, number>();
  readonly #slots = new Map<number, string[]>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#slotOf.size;
  }

  /** `false`: there is no room. `due`: by the wall clock, in milliseconds. */
  add(addressOfRecord: string, due: number): boolean {
    const slot = Math.floor(due / SLOT);
    const known = this.#slotOf.get(addressOfRecord);
    if (known !== undefined && known <= slot) return true;
    if (known === undefined && this.#slotOf.size >= this.#most) return false;
    const key = known === undefined ? detach(addressOfRecord) : addressOfRecord;
    this.#slotOf.set(key, slot);
    const users = this.#slots.get(slot);
    if (users === undefined) this.#slots.set(slot, [key]);
    else users.push(key);
    return true;
  }

  /** Takes out users whose time has come, so many at most. */
  take(now: number, limit: number): readonly string[] {
    const taken: string[] = [];
    for (const [slot, users] of this.#slots) {
      if (slot * SLOT > now) continue;
      while (taken.length < limit) {
        const user = users.pop();
        if (user === undefined) break;
        // Else she was moved to an earlier time since.
        if (this.#slotOf.get(user) !== slot) continue;
        this.#slotOf.delete(user);
        taken.push(user);
      }
      if (users.length === 0) this.#slots.delete(slot);
      if (taken.length >= limit) break;
    }
    return taken;
  }
}
