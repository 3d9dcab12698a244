import { describe, expect, it } from "vitest";
import { slotOf } from "./key-slot.ts";

describe("slotOf", () => {
  // As `CLUSTER KEYSLOT` of Redis 7.0 tells it.
  it.each([
    ["123456789", 12_739],
    ["x{123456789}y{z}", 12_739],
    ["{123456789", 5574],
    ["{}123456789", 1951],
    ["{}{a}", 13_650],
    ["=sip:Jörg 雪@example.com", 9148],
  ])("finds the slot of %s", (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });
});
