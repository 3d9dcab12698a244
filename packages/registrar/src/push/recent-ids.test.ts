import { describe, expect, it } from "vitest";
import { RecentIds } from "./recent-ids.ts";

describe("RecentIds", () => {
  it("knows what was noted for a time, and no longer", () => {
    const recent = new RecentIds(100, 10);
    recent.note("a", 1000);
    expect([recent.has("a", 1099), recent.has("a", 1100), recent.has("b", 1000)]).toEqual([
      true,
      false,
      false,
    ]);
    recent.note("a", 1050);
    expect(recent.has("a", 1149)).toBe(true);
  });

  it("has room for so many, and forgets the earliest of more", () => {
    const recent = new RecentIds(100, 2);
    recent.note("a", 0);
    recent.note("b", 10);
    recent.note("a", 20);
    expect(recent.hasRoom(109)).toBe(false);
    recent.note("c", 30);
    expect(["a", "b", "c"].map((id) => recent.has(id, 31))).toEqual([true, false, true]);
    expect(recent.hasRoom(120)).toBe(true);
  });

  it("remembers nothing for no time", () => {
    const recent = new RecentIds(0, 2);
    recent.note("a", 0);
    expect(recent.has("a", 0)).toBe(false);
  });
});
