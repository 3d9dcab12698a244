import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { expires } from "./expires.ts";

describe("Expires, RFC 3261 §20.19", () => {
  it("reads what it writes, up to 4294967295", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4294967295 }), (number) => {
        expect(expires.parse(expires.format(number))).toBe(number);
      }),
    );
    expect(expires.parse(" 0068 ")).toBe(68);
    expect(expires.parse("4294967295")).toBe(4294967295);
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
    "4294967296",
    "9".repeat(400),
  ])("refuses %j", (text) => {
    expect(() => expires.parse(text)).toThrow(ParseError);
    expect(() => expires.parse(text)).toThrow(
      expect.objectContaining({ status: 400, header: "Expires" }),
    );
  });
});
