import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { maxForwards } from "./max-forwards.ts";

describe("Max-Forwards, RFC 3261 §20.22", () => {
  it("reads what it writes, up to 255", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (number) => {
        expect(maxForwards.parse(maxForwards.format(number))).toBe(number);
      }),
    );
    expect(maxForwards.parse(" 0068 ")).toBe(68);
    expect(maxForwards.parse("255")).toBe(255);
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
    "256",
    "9".repeat(400),
  ])("refuses %j", (text) => {
    expect(() => maxForwards.parse(text)).toThrow(ParseError);
    expect(() => maxForwards.parse(text)).toThrow(
      expect.objectContaining({ status: 400, header: "Max-Forwards" }),
    );
  });
});
