import { detach } from "@sipkit/core";
import { BoundedMap } from "./bounded-map.ts";

interface Known {
  readonly whose: string;
  until: number;
}

/** Who proved himself lately, from where: each sender is known for one user. */
export class KnownSenders {
  readonly #knownFor: number;
  readonly #senders: BoundedMap<Known>;

  constructor(knownFor: number, size: number, onForget: () => void) {
    this.#knownFor = knownFor;
    this.#senders = new BoundedMap(size, (known, now) => now >= known.until, onForget);
  }

  /** Whose sender this is; `undefined` for an unknown one. */
  whose(sender: string, now: number): string | undefined {
    const known = this.#senders.get(sender);
    return known !== undefined && now < known.until ? known.whose : undefined;
  }

  add(sender: string, whose: string, now: number): void {
    const until = now + this.#knownFor;
    const known = this.#senders.get(sender);
    if (known?.whose === whose) {
      // Moved to the end, which is what costs, only now and then.
      if (until - known.until < this.#knownFor / 16) return;
      known.until = until;
      this.#senders.set(sender, known, now);
      return;
    }
    this.#senders.set(detach(sender), { whose: detach(whose), until }, now);
  }

  delete(sender: string): void {
    this.#senders.delete(sender);
  }
}
