/** What a use of a nonce turned out to be. */
export type NonceUse =
  /** The first with this count: let in, and recorded. */
  | "fresh"
  /** This very message from this very source was let in with this count before. */
  | "retransmission"
  /** The count was used for something else, or nobody can tell any more. */
  | "stale";

/** A hash of a message and its source: two words of 32 bits. */
export interface Fingerprint {
  readonly high: number;
  readonly low: number;
}

/** The bounds of a {@link NonceTable}. */
export interface NonceTableOptions {
  /** How many nonces are remembered at most. */
  readonly size: number;
  /** How long a nonce can be used after it was made, in milliseconds. */
  readonly lifetime: number;
  /** Whether a nonce can be used only once, whatever its count. */
  readonly oneTime?: boolean;
  /** Called when one is forgotten before its time, for want of room. */
  readonly onEvict?: () => void;
}

/** How far behind the highest count one may come late. */
const WINDOW = 64;
/** Of how many of the highest counts the message is remembered. */
const REMEMBERED = 4;
const INITIAL = 1024;

/**
 * Which counts of which nonces were used. It remembers only nonces that a right digest came with, each in 60 bytes of
 * typed arrays and 8 to 16 of an index, first used first out. When it is full, the oldest goes and takes with it every
 * nonce made before it: of those that aren't remembered nobody can tell any more whether they were used.
 *
 * The order is that of first use, so that nothing is searched; what expired out of order goes with what came before.
 *
 * RFC 7616 §3.4, §5.5
 */
export class NonceTable {
  readonly #size: number;
  readonly #lifetime: number;
  readonly #oneTime: boolean;
  readonly #onEvict: (() => void) | undefined;
  #slots: Slots;
  #oldest = 0;
  #count = 0;
  #horizon = -1;
  /** Open addressing by the serial's low bits: 0 is free, else a slot's number plus one. */
  #index: Uint32Array;

  constructor(options: NonceTableOptions) {
    this.#size = options.size;
    this.#lifetime = options.lifetime;
    this.#oneTime = options.oneTime ?? false;
    this.#onEvict = options.onEvict;
    const capacity = Math.min(INITIAL, options.size);
    this.#slots = makeSlots(capacity);
    this.#index = new Uint32Array(indexLength(capacity));
  }

  /** Records a use of a nonce made here; to be called only after its digest was found right. */
  use(
    nonce: { readonly serial: number; readonly madeAt: number },
    count: number,
    fingerprint: Fingerprint,
    now: number,
  ): NonceUse {
    const { serial, madeAt } = nonce;
    if (now - madeAt > this.#lifetime) return "stale";
    const slot = this.#find(serial, madeAt);
    if (slot !== undefined) return this.#useAgain(slot, count, fingerprint);
    if (madeAt <= this.#horizon) return "stale";
    this.#expire(now);
    this.#insert(serial, madeAt, count, fingerprint);
    return "fresh";
  }

  /** How many nonces are remembered at the time `now`. */
  remembered(now: number): number {
    this.#expire(now);
    return this.#count;
  }

  #useAgain(slot: number, count: number, fingerprint: Fingerprint): NonceUse {
    const { highest, windows } = this.#slots;
    const ahead = count - (highest[slot] ?? 0);
    if (this.#oneTime && ahead !== 0) return "stale";
    if (ahead > 0) {
      this.#shift(slot, ahead);
      highest[slot] = count;
      this.#remember(slot, count, fingerprint);
      return "fresh";
    }
    const behind = -ahead;
    if (behind >= WINDOW) return "stale";
    const word = 2 * slot + (behind >> 5);
    const bit = 1 << (behind & 31);
    const window = windows[word] ?? 0;
    if ((window & bit) !== 0) {
      return this.#isRemembered(slot, count, fingerprint) ? "retransmission" : "stale";
    }
    windows[word] = window | bit;
    if (behind < REMEMBERED) this.#remember(slot, count, fingerprint);
    return "fresh";
  }

  /** Moves a window up, and marks the new highest count as used. Its low word holds the latest 32 counts. */
  #shift(slot: number, by: number): void {
    const { windows } = this.#slots;
    const low = windows[2 * slot] ?? 0;
    const high = windows[2 * slot + 1] ?? 0;
    if (by >= WINDOW) {
      windows[2 * slot + 1] = 0;
      windows[2 * slot] = 1;
    } else if (by >= 32) {
      windows[2 * slot + 1] = low << (by - 32);
      windows[2 * slot] = 1;
    } else {
      windows[2 * slot + 1] = (high << by) | (low >>> (32 - by));
      windows[2 * slot] = (low << by) | 1;
    }
  }

  #remember(slot: number, count: number, { high, low }: Fingerprint): void {
    const at = 2 * (slot * REMEMBERED + (count % REMEMBERED));
    this.#slots.fingerprints[at] = high;
    this.#slots.fingerprints[at + 1] = low;
  }

  /** An older count's fingerprint may be in the place: that is another message's, for it holds the count. */
  #isRemembered(slot: number, count: number, { high, low }: Fingerprint): boolean {
    const at = 2 * (slot * REMEMBERED + (count % REMEMBERED));
    const { fingerprints } = this.#slots;
    return fingerprints[at] === high >>> 0 && fingerprints[at + 1] === low >>> 0;
  }

  #insert(serial: number, madeAt: number, count: number, fingerprint: Fingerprint): void {
    if (this.#count === this.#slots.capacity) {
      if (this.#count < this.#size) this.#resize(Math.min(this.#size, 2 * this.#count));
      else this.#evict();
    }
    const slot = (this.#oldest + this.#count) % this.#slots.capacity;
    const slots = this.#slots;
    slots.serials[slot] = serial;
    slots.madeAt[slot] = madeAt;
    slots.highest[slot] = count;
    slots.windows[2 * slot] = 1;
    slots.windows[2 * slot + 1] = 0;
    slots.fingerprints.fill(0, 2 * slot * REMEMBERED, 2 * (slot + 1) * REMEMBERED);
    this.#remember(slot, count, fingerprint);
    this.#count++;
    this.#enter(slot);
  }

  #evict(): void {
    this.#horizon = Math.max(this.#horizon, this.#slots.madeAt[this.#oldest] ?? 0);
    this.#forgetOldest();
    this.#onEvict?.();
  }

  #expire(now: number): void {
    while (this.#count > 0 && now - (this.#slots.madeAt[this.#oldest] ?? 0) > this.#lifetime) {
      this.#forgetOldest();
    }
    if (this.#count === 0 && this.#slots.capacity > INITIAL) this.#resize(INITIAL);
  }

  #forgetOldest(): void {
    this.#leave(this.#oldest);
    this.#oldest = (this.#oldest + 1) % this.#slots.capacity;
    this.#count--;
  }

  #find(serial: number, madeAt: number): number | undefined {
    const mask = this.#index.length - 1;
    for (let at = serial & mask; ; at = (at + 1) & mask) {
      const slot = (this.#index[at] ?? 0) - 1;
      if (slot < 0) return undefined;
      if (this.#slots.serials[slot] === serial && this.#slots.madeAt[slot] === madeAt) return slot;
    }
  }

  #enter(slot: number): void {
    const mask = this.#index.length - 1;
    let at = this.#home(slot, mask);
    while (this.#index[at] !== 0) at = (at + 1) & mask;
    this.#index[at] = slot + 1;
  }

  /** Frees a slot's place, and closes the gap: what was pushed past it moves back. */
  #leave(slot: number): void {
    const mask = this.#index.length - 1;
    let gap = this.#home(slot, mask);
    while (this.#index[gap] !== slot + 1) gap = (gap + 1) & mask;
    for (let at = (gap + 1) & mask; ; at = (at + 1) & mask) {
      const entry = this.#index[at] ?? 0;
      if (entry === 0) break;
      const pushed = (at - this.#home(entry - 1, mask)) & mask;
      if (pushed >= ((at - gap) & mask)) {
        this.#index[gap] = entry;
        gap = at;
      }
    }
    this.#index[gap] = 0;
  }

  #home(slot: number, mask: number): number {
    return (this.#slots.serials[slot] ?? 0) & mask;
  }

  #resize(capacity: number): void {
    const slots = makeSlots(capacity);
    unroll(this.#slots, this.#oldest, this.#count, slots);
    this.#slots = slots;
    this.#oldest = 0;
    this.#index = new Uint32Array(indexLength(capacity));
    for (let i = 0; i < this.#count; i++) this.#enter(i);
  }
}

/** A ring of nonces in order of their first use, one array a field. */
interface Slots {
  readonly capacity: number;
  readonly serials: Float64Array;
  readonly madeAt: Float64Array;
  readonly highest: Uint32Array;
  /** Two words a slot: which of the 64 counts up to the highest were used. */
  readonly windows: Uint32Array;
  /** Two words for each remembered count. */
  readonly fingerprints: Uint32Array;
}

function makeSlots(capacity: number): Slots {
  return {
    capacity,
    serials: new Float64Array(capacity),
    madeAt: new Float64Array(capacity),
    highest: new Uint32Array(capacity),
    windows: new Uint32Array(2 * capacity),
    fingerprints: new Uint32Array(2 * REMEMBERED * capacity),
  };
}

/** Copies `count` slots from the one at `oldest` on, round the ring's end, to the front of `to`. */
function unroll(from: Slots, oldest: number, count: number, to: Slots): void {
  const first = Math.min(count, from.capacity - oldest);
  const copy = <A extends Float64Array | Uint32Array>(a: A, b: A, width: number): void => {
    b.set(a.subarray(width * oldest, width * (oldest + first)));
    b.set(a.subarray(0, width * (count - first)), width * first);
  };
  copy(from.serials, to.serials, 1);
  copy(from.madeAt, to.madeAt, 1);
  copy(from.highest, to.highest, 1);
  copy(from.windows, to.windows, 2);
  copy(from.fingerprints, to.fingerprints, 2 * REMEMBERED);
}

/** At most half of it is ever in use. */
function indexLength(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(2 * Math.max(1, capacity)));
}
