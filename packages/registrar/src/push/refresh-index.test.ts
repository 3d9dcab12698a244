import { describe, expect, it } from "vitest";
import { RefreshIndex, SLOT } from "./refresh-index.ts";

describe("RefreshIndex", () => {
  it("gives each user once, by the earliest time that was told", () => {
    const index = new RefreshIndex(10);
    index.add("a", 10 * SLOT);
    index.add("b", 20 * SLOT);
    index.add("b", 5 * SLOT);
    index.add("a", 30 * SLOT);
    expect(index.take(5 * SLOT - 1, 9)).toEqual([]);
    expect(index.take(5 * SLOT, 9)).toEqual(["b"]);
    expect(index.take(40 * SLOT, 9)).toEqual(["a"]);
    expect([index.take(90 * SLOT, 9), index.size]).toEqual([[], 0]);
  });

  it("gives so many at a time, and has room for so many", () => {
    const index = new RefreshIndex(3);
    expect(["a", "b", "c", "d"].map((user) => index.add(user, 0))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(index.take(0, 2)).toHaveLength(2);
    expect(index.add("d", 0)).toBe(true);
    expect(index.take(0, 9)).toHaveLength(2);
  });
});
