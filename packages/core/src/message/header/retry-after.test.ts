import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { retryAfter } from "./retry-after.ts";

describe("Retry-After, RFC 3261 §20.33", () => {
  it.each([
    ["18000;duration=3600", 18000],
    ["120 (I'm in a meeting)", 120],
    [" 5 ", 5],
    ["4294967295", 4294967295],
  ])("reads %s", (text, seconds) => {
    expect(retryAfter.parse(text)).toBe(seconds);
  });

  it.each(["", "soon", "5x", "+5", "-1", "1.5", "4294967296", "٣", "5 6"])("refuses %j", (text) => {
    expect(() => retryAfter.parse(text)).toThrow(ParseError);
  });

  it("is written as seconds", () => {
    expect(retryAfter.format(5)).toBe("5");
  });
});
