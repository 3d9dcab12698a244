import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { minExpires } from "./min-expires.ts";

describe("Min-Expires, RFC 3261 §20.23", () => {
  it("reads what it writes, up to 4294967295", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4294967295 }), (number) => {
        expect(minExpires.parse(minExpires.format(number))).toBe(number);
      }),
    );
    expect(minExpires.parse(" 0068 ")).toBe(68);
    expect(minExpires.parse("4294967295")).toBe(4294967295);
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
    "4294967328",
    "9".repeat(400),
  ])("refuses %j", (text) => {
    expect(() => minExpires.parse(text)).toThrow(ParseError);
    expect(() => minExpires.parse(text)).toThrow(
      expect.objectContaining({ status: 400, header: "Min-Expires" }),
    );
  });
});
