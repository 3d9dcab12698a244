import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { cseq } from "./cseq.ts";

describe("CSeq, RFC 3261 §20.16", () => {
  it("reads a number below 2³¹ and a method", () => {
    expect(cseq.parse("4711 INVITE")).toEqual({ number: 4711, method: "INVITE" });
    expect(cseq.parse(" 0009\t  x-own ")).toEqual({ number: 9, method: "x-own" });
    expect(cseq.parse("2147483647 ACK").number).toBe(2147483647);
  });

  it.each([
    "",
    "INVITE",
    "1",
    "1 ",
    "1INVITE",
    "2147483648 INVITE",
    "-1 INVITE",
    "+1 INVITE",
    "1.5 INVITE",
    "1 INV(ITE",
    "1 A B",
    "٣ INVITE",
    "0x5 INVITE",
    "1e3 INVITE",
  ])("refuses %j", (text) => {
    expect(() => cseq.parse(text)).toThrow(ParseError);
    expect(() => cseq.parse(text)).toThrow(
      expect.objectContaining({ status: 400, header: "CSeq" }),
    );
  });

  it("is undone by format", () => {
    const method = fc.stringMatching(/^[A-Za-z!%*_+`'~.-]{1,10}$/);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2147483647 }), method, (number, each) => {
        expect(cseq.parse(cseq.format({ number, method: each }))).toEqual({ number, method: each });
      }),
    );
  });
});
