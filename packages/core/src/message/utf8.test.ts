import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detach } from "./detach.ts";
import { fromWire, toWire } from "./utf8.ts";

describe("wire strings", () => {
  it("spell UTF-8, one character a byte", () => {
    expect(toWire("ß")).toBe("\xc3\x9f");
    expect(fromWire("\xc3\x9f")).toBe("ß");
    expect(fromWire("\xdf")).toBe("\xdf");
    expect(fromWire("\xef\xbb\xbfx")).toBe("\ufeffx");
  });

  it("give back every text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(fromWire(toWire(text))).toBe(text);
      }),
    );
  });
});

describe("detach", () => {
  it("gives the same text, of any length and any characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        expect(detach(text)).toBe(text);
        expect(detach(`prefix${text}`.slice(6))).toBe(text);
      }),
    );
  });
});
