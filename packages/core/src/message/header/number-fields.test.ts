import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { contentLength } from "./content-length.ts";
import { expires } from "./expires.ts";
import { maxForwards } from "./max-forwards.ts";
import { minExpires } from "./min-expires.ts";

describe.each([
  {
    header: "Content-Length",
    section: "20.14",
    field: contentLength,
    max: 9007199254740991,
    over: "9007199254740992",
  },
  { header: "Expires", section: "20.19", field: expires, max: 4294967295, over: "4294967296" },
  { header: "Max-Forwards", section: "20.22", field: maxForwards, max: 255, over: "256" },
  {
    header: "Min-Expires",
    section: "20.23",
    field: minExpires,
    max: 4294967295,
    over: "4294967328",
  },
])("$header, RFC 3261 §$section", ({ header, field, max, over }) => {
  it(`reads what it writes, up to ${max}`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max }), (number) => {
        expect(field.parse(field.format(number))).toBe(number);
      }),
    );
    expect(field.parse(" 0068 ")).toBe(68);
    expect(field.parse(String(max))).toBe(max);
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
    over,
    "9".repeat(400),
  ])("refuses %j", (text) => {
    expect(() => field.parse(text)).toThrow(ParseError);
    expect(() => field.parse(text)).toThrow(expect.objectContaining({ status: 400, header }));
  });
});
