import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConstantTime } from "./constant-time.ts";

describe("comparison in constant time", () => {
  it("tells equal from different", () => {
    const compare = new ConstantTime(4);
    expect(compare.equal("0a1b", "0a1b")).toBe(true);
    expect(compare.equal("0a1b", "0a1c")).toBe(false);
    expect(compare.equal("1a1b", "0a1b")).toBe(false);
    expect(compare.equal("0a1b", "0a1")).toBe(false);
    expect(compare.equal("0a1", "0a1")).toBe(false);
    expect(compare.equal("0a1bc", "0a1bc")).toBe(false);
  });

  it("keeps nothing of what was compared before", () => {
    const compare = new ConstantTime(8);
    const text = fc.string({ unit: fc.constantFrom("0", "1"), minLength: 7, maxLength: 9 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(compare.equal(a, b)).toBe(a === b && a.length === 8);
      }),
    );
  });
});
