import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../errors.ts";
import { formatNameAddr, parseNameAddr } from "./name-addr.ts";
import { Params } from "./params.ts";

const uri = fc.stringMatching(/^sips?:[a-z0-9;=&+$,?/%:-]{1,20}@[a-z0-9.-]{1,20}$/);
const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,12}$/);

describe("parseNameAddr, RFC 3261 §20.10", () => {
  it.each([
    ['"Alice" <sip:a@b>;tag=1', "Alice", "sip:a@b", "1"],
    ["Alice Liddell <sip:a@b>", "Alice Liddell", "sip:a@b", undefined],
    ["<sip:a@b;transport=tcp>;tag=1", undefined, "sip:a@b;transport=tcp", "1"],
    ["sip:a@b;tag=1", undefined, "sip:a@b", "1"],
    ["sip:a@b", undefined, "sip:a@b", undefined],
    ["  <sip:a@b>  ;  tag = 1  ", undefined, "sip:a@b", "1"],
    ['"a \\"b\\\\" <sip:a@b>', 'a "b\\', "sip:a@b", undefined],
    ['"<sip:x@y>;tag=no" <sip:a@b>;TAG=yes', "<sip:x@y>;tag=no", "sip:a@b", "yes"],
    ["caller<sip:a@b>", "caller", "sip:a@b", undefined],
    ["<tel:+1-201-555-0123>", undefined, "tel:+1-201-555-0123", undefined],
    ['""<sip:a@b>', "", "sip:a@b", undefined],
    ["<sip:a@b?Route=%3Csip:c%3E>", undefined, "sip:a@b?Route=%3Csip:c%3E", undefined],
    ['<sip:a@b>;x="1,2";tag=3', undefined, "sip:a@b", "3"],
    ["sip:a@b;x=<y>", undefined, undefined, undefined],
  ])("reads %s", (text, displayName, address, tag) => {
    if (address === undefined) expect(() => parseNameAddr(text)).toThrow(ParseError);
    else expect(parseNameAddr(text)).toMatchObject({ displayName, uri: address, tag });
  });

  it.each([
    ["an unbalanced quote", '"Alice <sip:a@b>'],
    ["a comma in a bare display name", "Bell, Alexander <sip:a@b>"],
    ["no URI", "<>"],
    ["a quoted name alone", '"Alice"'],
    ["an open bracket", "<sip:a@b"],
    ["white space within the brackets", "< sip:a@b >"],
    ["a bracket within the brackets", "<sip:a<b@c>"],
    ["a bare question mark", "sip:a@b?Route=x"],
    ["a second value", "<sip:a@b>, <sip:c@d>"],
    ["a second bare value", "sip:a@b,sip:c@d"],
    ["empty parameters", "<sip:a@b>;;"],
    ["words after the brackets", "<sip:a@b> x"],
    ["no scheme", "<alice@b>"],
    ["a scheme alone", "<sip:>"],
    ["nothing", "   "],
    ["a control character in the URI", "<sip:a\x01@b>"],
  ])("refuses %s", (_, text) => {
    expect(() => parseNameAddr(text)).toThrow(ParseError);
    expect(() => parseNameAddr(text)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it("doesn't take characters beyond latin1 for others that end in the same byte", () => {
    // U+013E and U+0122 end in the bytes of > and a quote.
    expect(parseNameAddr('"\u0122" <sip:a\u013eb@c>;tag=x')).toMatchObject({
      displayName: "\u0122",
      uri: "sip:a\u013eb@c",
      tag: "x",
    });
  });
});

describe("formatNameAddr", () => {
  it("puts the URI in brackets and quotes a name that needs it", () => {
    expect(formatNameAddr({ uri: "sip:a@b" })).toBe("<sip:a@b>");
    expect(formatNameAddr({ uri: "sip:a@b", displayName: "Alice Liddell" })).toBe(
      "Alice Liddell <sip:a@b>",
    );
    expect(formatNameAddr({ uri: "sip:a@b", displayName: 'A "B"' })).toBe('"A \\"B\\"" <sip:a@b>');
  });

  it("has a spread value's tag count", () => {
    const address = parseNameAddr("<sip:a@b>;x=1;tag=old");
    expect(formatNameAddr({ ...address, tag: "new" })).toBe("<sip:a@b>;x=1;tag=new");
  });

  it("is undone by parseNameAddr", () => {
    const address = fc.record({
      displayName: fc.option(fc.string({ unit: "grapheme", maxLength: 20 }), { nil: undefined }),
      uri,
      tag: fc.option(token, { nil: undefined }),
    });
    fc.assert(
      fc.property(address, (given) => {
        const params = given.tag === undefined ? Params.empty : Params.empty.with("tag", given.tag);
        const parsed = parseNameAddr(formatNameAddr({ ...given, params }));
        expect(parsed).toMatchObject(given);
        expect(parsed.params.toString()).toBe(params.toString());
      }),
    );
  });
});
