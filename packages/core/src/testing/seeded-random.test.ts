import { describe, expect, it } from "vitest";
import { SeededRandom } from "./seeded-random.ts";

describe("SeededRandom", () => {
  const draws = (random: SeededRandom): readonly unknown[] => [
    random.number(),
    random.token(),
    [...random.bytes(7)],
    random.integer(1, 6),
  ];

  it("draws the same by the same seed, and something else by another", () => {
    expect(draws(new SeededRandom(7))).toEqual(draws(new SeededRandom(7)));
    expect(draws(new SeededRandom(7))).not.toEqual(draws(new SeededRandom(8)));
  });

  it("draws by a fork what nobody's draws change", () => {
    const one = new SeededRandom(7);
    const other = new SeededRandom(7);
    draws(other);
    expect(draws(one.fork("a"))).toEqual(draws(other.fork("a")));
    expect(draws(one.fork("a"))).not.toEqual(draws(one.fork("b")));
  });

  it("spreads evenly", () => {
    const random = new SeededRandom(1);
    const faces = new Array<number>(6).fill(0);
    for (let i = 0; i < 6000; i++) {
      const face = random.integer(1, 6) - 1;
      faces[face] = (faces[face] ?? 0) + 1;
    }
    for (const count of faces) expect(Math.abs(count - 1000)).toBeLessThan(150);
    expect(new Set(Array.from({ length: 1000 }, () => random.token())).size).toBe(1000);
  });

  it("makes tokens of 96 bits in base64url", () => {
    expect(new SeededRandom(1).token()).toMatch(/^[\w-]{16}$/);
  });

  it("draws nothing for what is sure", () => {
    const random = new SeededRandom(1);
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
    expect(random.number()).toBe(new SeededRandom(1).number());
    const hits = Array.from({ length: 1000 }, () => random.chance(0.3)).filter(Boolean).length;
    expect(Math.abs(hits - 300)).toBeLessThan(60);
  });

  it("picks from what is there", () => {
    const random = new SeededRandom(1);
    expect(new Set(Array.from({ length: 50 }, () => random.pick(["a", "b"]))).size).toBe(2);
    expect(() => random.pick([])).toThrow(RangeError);
  });
});
