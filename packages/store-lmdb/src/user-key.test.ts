import { describe, expect, it } from "vitest";
import { userKey } from "./user-key.ts";

describe("userKey", () => {
  it("is the name itself, as UTF-8", () => {
    expect(userKey("sip:jörg@example.com").toString()).toBe("\u0001sip:jörg@example.com");
    expect(userKey("")).toHaveLength(1);
  });

  it("is never too long for LMDB, and tells long names apart", () => {
    const keys = ["a", "b"].map((end) => userKey("x".repeat(100_000) + end));
    expect(keys[0]).toHaveLength(33);
    expect(keys[0]).not.toEqual(keys[1]);
    expect(userKey("x".repeat(512))).toHaveLength(513);
    expect(userKey("x".repeat(513))).toHaveLength(33);
  });

  it("tells apart what UTF-8 has no bytes for", () => {
    const keys = ["\ud800", "\udc00", "\ufffd", "\u{10000}"].map((name) => userKey(name));
    expect(new Set(keys.map((key) => key.toString("hex"))).size).toBe(4);
  });
});
