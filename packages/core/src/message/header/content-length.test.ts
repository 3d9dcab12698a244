import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { contentLength } from "./content-length.ts";

describe("Content-Length, RFC 3261 §20.14", () => {
  it("reads what it writes, up to 9007199254740991", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9007199254740991 }), (number) => {
        expect(contentLength.parse(contentLength.format(number))).toBe(number);
      }),
    );
    expect(contentLength.parse(" 0068 ")).toBe(68);
    expect(contentLength.parse("9007199254740991")).toBe(9007199254740991);
  });

  it.each([
    "",
    " ",
    "+5",
    "-0",
    "-1",
    "0x5",
    "1e3",
    "1.0",
    "٣",
    "5 6",
    "5;a=b",
    "9007199254740992",
    "9".repeat(400),
  ])("refuses %j", (text) => {
    expect(() => contentLength.parse(text)).toThrow(ParseError);
    expect(() => contentLength.parse(text)).toThrow(
      expect.objectContaining({ status: 400, header: "Content-Length" }),
    );
  });
});
