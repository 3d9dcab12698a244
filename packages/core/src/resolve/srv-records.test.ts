import { describe, expect, it } from "vitest";
import type { Random } from "../random.ts";
import { drawOrder, type Place, readSrv } from "./srv-records.ts";

function place(target: string, priority: number, weight: number): Place {
  return { target, port: 5060, priority, weight };
}

/** Chance that draws these numbers, one after another. */
function drawing(...numbers: readonly number[]): Random {
  const left = [...numbers];
  return {
    bytes(size) {
      const bytes = Buffer.alloc(size);
      const number = left.shift();
      if (number === undefined) throw new Error("drawn too often");
      bytes.writeUIntBE(number, 0, size);
      return bytes;
    },
    token: () => "",
  };
}

/** A generator of the same numbers in every run (xorshift). */
function seeded(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  };
  return { bytes: (size) => Uint8Array.from({ length: size }, next), token: () => "" };
}

function targets(places: readonly Place[]): string {
  return places.map(({ target }) => target).join("");
}

describe("SRV records", () => {
  it("that are used are the 16 most preferred", () => {
    const records = Array.from({ length: 40 }, (_, n) => ({
      ...{ name: `H${n}.example.`, port: 5060, priority: 40 - n, weight: n },
    }));
    const places = readSrv(records);
    expect(places).toHaveLength(16);
    expect(places[0]).toEqual(place("h39.example", 1, 39));
    expect(places[15]).toEqual(place("h24.example", 16, 24));
  });
});

describe("the order of SRV records, RFC 2782", () => {
  it("is that of their priorities, without a draw where each has its own", () => {
    const places = [place("c", 30, 5), place("a", 10, 0), place("b", 20, 9)];
    expect(targets(drawOrder(places, drawing()))).toBe("abc");
  });

  it.each([
    // Running sums are z 0, a 1, b 4: a number up to 4 takes the first that is not below it.
    [0, "z"],
    [1, "a"],
    [2, "b"],
    [4, "b"],
    [5, "z"],
  ])(
    "of one priority begins with the first whose running sum reaches the number drawn: %d",
    (n, first) => {
      const places = [place("a", 0, 1), place("z", 0, 0), place("b", 0, 3)];
      expect(targets(drawOrder(places, drawing(n, 0, 0)))[0]).toBe(first);
    },
  );

  it("draws again among those that are left", () => {
    const places = [place("a", 0, 1), place("b", 0, 3), place("c", 0, 6), place("d", 1, 1)];
    expect(targets(drawOrder(places, drawing(10, 4)))).toBe("cbad");
  });

  it("leaves those without weight as they are", () => {
    const places = [place("a", 0, 0), place("b", 0, 0), place("c", 0, 0)];
    expect(targets(drawOrder(places, drawing()))).toBe("abc");
  });

  it("spreads by weight, and loses none", () => {
    const places = [place("a", 0, 10), place("b", 0, 30), place("c", 0, 60), place("z", 0, 0)];
    const random = seeded(0x5eed);
    const firsts = new Map<string, number>();
    const draws = 10_000;
    for (let n = 0; n < draws; n++) {
      const order = targets(drawOrder(places, random));
      expect([...order].toSorted().join("")).toBe("abcz");
      const first = order[0] ?? "";
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    const share = (target: string): number => (firsts.get(target) ?? 0) / draws;
    expect(share("a")).toBeCloseTo(0.1, 1);
    expect(share("b")).toBeCloseTo(0.3, 1);
    expect(share("c")).toBeCloseTo(0.6, 1);
    expect(share("z")).toBeGreaterThan(0);
    expect(share("z")).toBeLessThan(0.03);
  });
});
