import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { date } from "./date.ts";

describe("Date, RFC 3261 §20.17", () => {
  it.each([
    ["Sat, 13 Nov 2010 23:29:00 GMT", 1289690940000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["Tue, 29 Feb 2000 12:00:01 GMT", 951825601000],
    ["Fri, 31 Dec 9999 23:59:59 GMT", 253402300799000],
    ["Wed, 31 Dec 1969 23:59:59 GMT", -1000],
  ])("reads and writes %s", (text, ms) => {
    expect(date.parse(text)).toBe(ms);
    expect(date.parse(` ${text} `)).toBe(ms);
    expect(date.format(ms)).toBe(text);
  });

  it.each([
    "",
    "Sat, 13 Nov 2010 23:29:00 EST",
    "Sat, 13 Nov 2010 23:29:00",
    "Sat, 13 Nov 2010 24:00:00 GMT",
    "Sat, 13 Nov 2010 23:60:00 GMT",
    "Sat, 13 Nov 2010 23:29:61 GMT",
    "Sat, 31 Nov 2010 23:29:00 GMT",
    "Sat, 00 Nov 2010 23:29:00 GMT",
    "Mon, 29 Feb 1900 00:00:00 GMT",
    "Sat, 13 Foo 2010 23:29:00 GMT",
    "13 Nov 2010 23:29:00 GMT",
    "Sat, 1٣ Nov 2010 23:29:00 GMT",
    "Sat, 13 Nov 0000 00:00:00 GMT",
  ])("refuses %j", (text) => {
    expect(() => date.parse(text)).toThrow(ParseError);
    expect(() => date.parse(text)).toThrow(
      expect.objectContaining({ header: "Date", status: 400 }),
    );
  });

  it("agrees with the machine's own calendar, in whole seconds", () => {
    const ms = fc.integer({ min: -62135596800, max: 253402300799 });
    fc.assert(
      fc.property(ms, fc.integer({ min: 0, max: 999 }), (seconds, rest) => {
        const text = date.format(seconds * 1000 + rest);
        expect(text).toBe(new Date(seconds * 1000).toUTCString());
        expect(date.parse(text)).toBe(seconds * 1000);
      }),
    );
  });
});
