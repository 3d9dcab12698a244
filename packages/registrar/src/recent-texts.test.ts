import { describe, expect, it } from "vitest";
import { RecentTexts } from "./recent-texts.ts";

describe("RecentTexts", () => {
  it("remembers the last half of its capacity at least, and all of it at most", () => {
    const recent = new RecentTexts(10);
    for (let index = 0; index < 1000; index += 1) {
      recent.add(`text ${index}`);
      expect(recent.size).toBeLessThanOrEqual(10);
      for (let back = 0; back < 5 && back <= index; back += 1) {
        expect(recent.has(`text ${index - back}`)).toBe(true);
      }
    }
    expect(recent.has("text 900")).toBe(false);
  });

  it("counts a text once, however often it is added", () => {
    const recent = new RecentTexts(4);
    for (let time = 0; time < 100; time += 1) recent.add("same");
    expect(recent.size).toBe(1);
  });

  it("forgets what is deleted, in both generations", () => {
    const recent = new RecentTexts(4);
    for (const text of ["a", "b", "c"]) recent.add(text);
    for (const text of ["a", "b", "c"]) {
      expect(recent.has(text)).toBe(true);
      recent.delete(text);
      expect(recent.has(text)).toBe(false);
    }
    expect(recent.size).toBe(0);
  });

  it("of no capacity remembers nothing", () => {
    const recent = new RecentTexts(0);
    recent.add("a");
    expect(recent.has("a")).toBe(false);
  });
});
