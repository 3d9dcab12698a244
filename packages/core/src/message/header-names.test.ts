import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headerId, headerName, ID_BITS, isListHeader, matchName, VIA } from "./header-names.ts";

const KNOWN = Array.from({ length: 60 }, (_, id) => headerName(id)).filter((name) => name !== "");

/** The compact forms that are registered, RFC 3261 §7.3.3 and later. */
const COMPACT: readonly (readonly [string, string])[] = [
  ["a", "Accept-Contact"],
  ["b", "Referred-By"],
  ["c", "Content-Type"],
  ["d", "Request-Disposition"],
  ["e", "Content-Encoding"],
  ["f", "From"],
  ["i", "Call-ID"],
  ["j", "Reject-Contact"],
  ["k", "Supported"],
  ["l", "Content-Length"],
  ["m", "Contact"],
  ["n", "Identity-Info"],
  ["o", "Event"],
  ["r", "Refer-To"],
  ["s", "Subject"],
  ["t", "To"],
  ["u", "Allow-Events"],
  ["v", "Via"],
  ["x", "Session-Expires"],
  ["y", "Identity"],
];

const inAnyCase = (name: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) =>
      [...name].map((char, i) => (upper[i] ? char.toUpperCase() : char.toLowerCase())).join(""),
    );

describe("headerId", () => {
  it("knows each name in any case", () => {
    expect(KNOWN.length).toBeGreaterThan(50);
    fc.assert(
      fc.property(
        fc.constantFrom(...KNOWN).chain((name) => fc.tuple(fc.constant(name), inAnyCase(name))),
        ([name, written]) => {
          expect(headerName(headerId(written))).toBe(name);
        },
      ),
    );
  });

  it.each(COMPACT)("knows %s for %s", (compact, name) => {
    expect(headerId(compact)).toBe(headerId(name));
    expect(headerId(compact.toUpperCase())).toBe(headerId(name));
  });

  it("takes nothing else for a known name", () => {
    for (const name of [
      "",
      "Vi",
      "Viaa",
      "Call_ID",
      "CallID",
      "Call\rID",
      "To ",
      "__proto__",
      "Fröm",
      "\u0156ia",
    ]) {
      expect(headerId(name)).toBe(0);
    }
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z-]{2,12}$/), (name) => {
        const known = KNOWN.some((each) => each.toLowerCase() === name.toLowerCase());
        expect(headerId(name) !== 0).toBe(known);
      }),
    );
  });
});

describe("matchName", () => {
  it("finds a name's end and number in one go", () => {
    const match = (text: string): [number, number] => {
      const found = matchName(Buffer.from(text, "latin1"), 0);
      return [found >> ID_BITS, found & ((1 << ID_BITS) - 1)];
    };
    expect(match("Via: x")).toEqual([3, VIA]);
    expect(match("v :x")).toEqual([1, VIA]);
    expect(match("X-Own: x")).toEqual([5, 0]);
    expect(match("a\0b: x")).toEqual([1, headerId("a")]);
    expect(match("\r\n")).toEqual([0, 0]);
    expect(match("Via")).toEqual([3, VIA]);
    expect(match("Vi\xe4: x")).toEqual([2, 0]);
  });
});

describe("isListHeader, RFC 3261 §7.3.1", () => {
  it("never lets credentials, challenges, dates and free text be split", () => {
    for (const name of [
      "Authorization",
      "Proxy-Authorization",
      "WWW-Authenticate",
      "Proxy-Authenticate",
      "Date",
      "Subject",
      "User-Agent",
      "From",
      "To",
      "X-Unknown",
    ]) {
      expect(isListHeader(headerId(name))).toBe(false);
    }
    for (const name of [
      "Via",
      "Contact",
      "Route",
      "Record-Route",
      "Path",
      "Service-Route",
      "Require",
      "Supported",
      "Allow",
    ]) {
      expect(isListHeader(headerId(name))).toBe(true);
    }
  });
});
