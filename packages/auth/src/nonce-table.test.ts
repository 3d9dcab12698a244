import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Fingerprint, NonceTable, type NonceUse } from "./nonce-table.ts";

const LIFETIME = 300_000;
const message = (low: number): Fingerprint => ({ high: 7, low });
const nonce = (
  serial: number,
  madeAt = 0,
): { readonly serial: number; readonly madeAt: number } => ({
  serial,
  madeAt,
});

const table = (size = 100): NonceTable => new NonceTable({ size, lifetime: LIFETIME });

describe("nonce table, RFC 7616 §5.5", () => {
  it("lets a count in once", () => {
    const nonces = table();
    expect(nonces.use(nonce(1), 1, message(1), 10)).toBe("fresh");
    expect(nonces.use(nonce(1), 1, message(2), 11)).toBe("stale");
    expect(nonces.use(nonce(1), 2, message(3), 12)).toBe("fresh");
    expect(nonces.use(nonce(2), 1, message(4), 13)).toBe("fresh");
  });

  it("knows the very same message again: a retransmission, as often as it comes", () => {
    const nonces = table();
    nonces.use(nonce(1), 1, message(1), 10);
    expect(nonces.use(nonce(1), 1, message(1), 11)).toBe("retransmission");
    expect(nonces.use(nonce(1), 1, message(1), 12)).toBe("retransmission");
    expect(nonces.use(nonce(1), 1, { high: 8, low: 1 }, 13)).toBe("stale");
    nonces.use(nonce(1), 2, message(2), 14);
    expect(nonces.use(nonce(1), 1, message(1), 15)).toBe("retransmission");
  });

  it("knows fingerprints with the top bit set", () => {
    const nonces = table();
    const high = { high: 0xffff_ffff, low: 0x8000_0000 };
    nonces.use(nonce(1), 1, high, 10);
    expect(nonces.use(nonce(1), 1, high, 11)).toBe("retransmission");
    expect(nonces.use(nonce(1), 1, { high: high.high | 0, low: high.low | 0 }, 11)).toBe(
      "retransmission",
    );
  });

  it("remembers the messages of the four highest counts", () => {
    const nonces = table();
    for (let count = 1; count <= 6; count++) nonces.use(nonce(1), count, message(count), 10);
    for (let count = 1; count <= 6; count++) {
      const expected = count <= 2 ? "stale" : "retransmission";
      expect(nonces.use(nonce(1), count, message(count), 11)).toBe(expected);
    }
  });

  it("lets counts come late and leave gaps, within a window of 64", () => {
    const nonces = table();
    expect(nonces.use(nonce(1), 100, message(1), 10)).toBe("fresh");
    expect(nonces.use(nonce(1), 37, message(2), 10)).toBe("fresh");
    expect(nonces.use(nonce(1), 36, message(3), 10)).toBe("stale");
    expect(nonces.use(nonce(1), 37, message(4), 10)).toBe("stale");
    expect(nonces.use(nonce(1), 69, message(5), 10)).toBe("fresh");
    expect(nonces.use(nonce(1), 68, message(5), 10)).toBe("fresh");
    expect(nonces.use(nonce(1), 0xffff_ffff, message(6), 10)).toBe("fresh");
    expect(nonces.use(nonce(1), 100, message(1), 10)).toBe("stale");
  });

  it("takes no nonce that is older than its lifetime, used before or not", () => {
    const nonces = table();
    expect(nonces.use(nonce(1), 1, message(1), LIFETIME)).toBe("fresh");
    expect(nonces.use(nonce(1), 1, message(1), LIFETIME + 1)).toBe("stale");
    expect(nonces.use(nonce(1), 2, message(1), LIFETIME + 1)).toBe("stale");
    expect(nonces.use(nonce(2), 1, message(1), LIFETIME + 1)).toBe("stale");
    expect(nonces.remembered(LIFETIME + 1)).toBe(0);
  });

  it("is empty again when all have expired, however many there were", () => {
    const nonces = table(5000);
    for (let i = 0; i < 5000; i++) nonces.use(nonce(i, i), 1, message(i), i);
    expect(nonces.remembered(5000)).toBe(5000);
    expect(nonces.remembered(LIFETIME + 2500)).toBe(2500);
    expect(nonces.remembered(LIFETIME + 5000)).toBe(0);
    expect(nonces.use(nonce(1, LIFETIME), 1, message(1), LIFETIME + 5000)).toBe("fresh");
  });

  it("keeps its bound: the oldest goes, and with it what was made before and isn't remembered", () => {
    const nonces = table(2);
    nonces.use(nonce(1, 10), 1, message(1), 20);
    nonces.use(nonce(2, 5), 1, message(2), 21);
    nonces.use(nonce(3, 12), 1, message(3), 22);
    expect(nonces.remembered(23)).toBe(2);
    // Evicted: its count can't be told fresh from used.
    expect(nonces.use(nonce(1, 10), 2, message(4), 24)).toBe("stale");
    // Never used, but made before the evicted one.
    expect(nonces.use(nonce(4, 9), 1, message(5), 24)).toBe("stale");
    expect(nonces.use(nonce(4, 10), 1, message(5), 24)).toBe("stale");
    // Made before it too, but remembered.
    expect(nonces.use(nonce(2, 5), 2, message(6), 24)).toBe("fresh");
    // Made after it.
    expect(nonces.use(nonce(5, 11), 1, message(7), 24)).toBe("fresh");
  });

  it("agrees with a plain model of itself", () => {
    // Few serials that collide in the index, and few times, so that everything happens often.
    const serial = fc.integer({ min: 0, max: 12 }).map((n) => (n % 3) + 2 ** 32 * n);
    const step = fc.record({
      serial,
      age: fc.integer({ min: 0, max: 12 }),
      count: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 150 })),
      low: fc.integer({ min: 1, max: 2 }),
      wait: fc.integer({ min: 0, max: 3 }),
    });
    const limits = { size: 5, lifetime: 10 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const nonces = new NonceTable(limits);
        const model = new Model(limits);
        let now = 20;
        for (const { serial, age, count, low, wait } of steps) {
          now += wait;
          const made = nonce(serial, now - age);
          // As in a real message, the fingerprint holds the count.
          const fingerprint = message(1000 * count + low);
          expect(nonces.use(made, count, fingerprint, now)).toBe(
            model.use(made, count, fingerprint.low, now),
          );
        }
        expect(nonces.remembered(now)).toBe(model.remembered(now));
      }),
      { numRuns: 500 },
    );
  });

  it("grows beyond its first size with everything in it", () => {
    const nonces = table(10_000);
    // First some that expire, so that the ring doesn't begin at its front.
    for (let i = 0; i < 900; i++) nonces.use(nonce(i, 0), 1, message(i), 0);
    const now = LIFETIME + 1;
    for (let i = 0; i < 10_000; i++) {
      expect(nonces.use(nonce(7919 * i, now), 1, message(i), now)).toBe("fresh");
    }
    for (let i = 0; i < 10_000; i++) {
      expect(nonces.use(nonce(7919 * i, now), 1, message(i), now)).toBe("retransmission");
      expect(nonces.use(nonce(7919 * i, now), 1, message(i + 1), now)).toBe("stale");
    }
    expect(nonces.remembered(now)).toBe(10_000);
  });
});

interface Remembered {
  readonly key: string;
  readonly madeAt: number;
  readonly used: Map<number, number>;
}

/** The rules of the table in the plainest words. */
class Model {
  readonly #size: number;
  readonly #lifetime: number;
  #list: Remembered[] = [];
  #horizon = -1;

  constructor(limits: { readonly size: number; readonly lifetime: number }) {
    this.#size = limits.size;
    this.#lifetime = limits.lifetime;
  }

  use(
    { serial, madeAt }: { readonly serial: number; readonly madeAt: number },
    count: number,
    print: number,
    now: number,
  ): NonceUse {
    if (now - madeAt > this.#lifetime) return "stale";
    const key = `${serial} ${madeAt}`;
    const found = this.#list.find((entry) => entry.key === key);
    if (found === undefined) {
      if (madeAt <= this.#horizon) return "stale";
      this.remembered(now);
      if (this.#list.length === this.#size) {
        this.#horizon = Math.max(this.#horizon, this.#list.shift()?.madeAt ?? 0);
      }
      this.#list.push({ key, madeAt, used: new Map([[count, print]]) });
      return "fresh";
    }
    const highest = Math.max(...found.used.keys());
    if (count <= highest - 64) return "stale";
    const before = found.used.get(count);
    if (before !== undefined) {
      return before === print && count > highest - 4 ? "retransmission" : "stale";
    }
    found.used.set(count, print);
    return "fresh";
  }

  remembered(now: number): number {
    let oldest = this.#list[0];
    while (oldest !== undefined && now - oldest.madeAt > this.#lifetime) {
      this.#list.shift();
      oldest = this.#list[0];
    }
    return this.#list.length;
  }
}
