import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { Params } from "../params.ts";
import { type ContactValue, contact } from "./contact.ts";

function read(text: string): ContactValue {
  const value = contact.parse(text);
  if (value === "*") throw new Error("a star");
  return value;
}

describe("Contact, RFC 3261 §20.10", () => {
  it("reads an address with its preference and expiry", () => {
    const value = read(
      '"Mr. Watson" <sip:watson@worcester.example.com>;q=0.7;expires=3600;+sip.instance="<urn:uuid:1>";reg-id=1',
    );
    expect(value).toMatchObject({
      displayName: "Mr. Watson",
      uri: "sip:watson@worcester.example.com",
      tag: undefined,
      q: 0.7,
      expires: "3600",
    });
    expect(value.params.get("+SIP.instance")).toBe("<urn:uuid:1>");
    expect(value.params.get("reg-id")).toBe("1");
  });

  it("tells a URI's parameters from the header's", () => {
    expect(read("sip:a@b;expires=5").params.get("expires")).toBe("5");
    expect(read("<sip:a@b;expires=5>").expires).toBeUndefined();
    expect(read("<sip:a@b;expires=5>").uri).toBe("sip:a@b;expires=5");
  });

  it("reads the star, and only it", () => {
    expect(contact.parse("*")).toBe("*");
    expect(contact.parse(" * ")).toBe("*");
    expect(contact.format("*")).toBe("*");
    for (const text of ["**", "*;expires=0", "* x"])
      expect(() => contact.parse(text)).toThrow(ParseError);
  });

  it.each([
    ["0", 0],
    ["1", 1],
    ["0.5", 0.5],
    ["0.123", 0.123],
    ["1.000", 1],
    ["0.", 0],
    ["1.", 1],
  ])("reads q=%s", (text, q) => {
    expect(read(`<sip:a@b>;q=${text}`).q).toBe(q);
  });

  it.each(["2", "1.1", "0.1234", "-0", "+1", ".5", "1e0", "0x1", "٣", '""'])(
    "refuses q=%s",
    (q) => {
      expect(() => contact.parse(`<sip:a@b>;q=${q}`)).toThrow(
        expect.objectContaining({ status: 400, header: "Contact" }),
      );
    },
  );

  it("leaves a malformed expires to the registrar, RFC 3261 §10.2.1.1", () => {
    expect(read("<sip:a@b>;expires=soon").expires).toBe("soon");
    expect(read('<sip:a@b>;expires="60"').expires).toBe("60");
  });

  it("has q and expires of a spread value count", () => {
    const value = read("<sip:a@b>;q=0.5;x=1;expires=60");
    expect(contact.format(value)).toBe("<sip:a@b>;q=0.5;x=1;expires=60");
    expect(contact.format({ ...value, expires: "5", q: 1 })).toBe("<sip:a@b>;q=1;x=1;expires=5");
  });

  it("is undone by format", () => {
    const value = fc.record({
      displayName: fc.option(fc.string({ unit: "grapheme", maxLength: 10 }), { nil: undefined }),
      uri: fc.stringMatching(/^sip:[a-z0-9;=?&%.]{1,10}@[a-z0-9.]{1,10}$/),
      q: fc.option(
        fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000),
        { nil: undefined },
      ),
      expires: fc.option(fc.nat().map(String), { nil: undefined }),
      tag: fc.constant(undefined),
    });
    fc.assert(
      fc.property(value, (given) => {
        const parsed = read(contact.format({ ...given, params: Params.empty }));
        expect(parsed).toMatchObject(given);
      }),
    );
  });
});
