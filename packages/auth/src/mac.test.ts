import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Mac } from "./mac.ts";

const ascii = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: "grapheme-ascii", minLength: length, maxLength: length });

describe("HMAC-SHA-256 by one-shot hashes", () => {
  it("equals the platform's, for keys shorter and longer than a block", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 150 }), fc.nat(100), fc.gen(), (key, length, gen) => {
        const text = gen(ascii, length);
        const expected = createHmac("sha256", key).update(text).digest("base64url");
        expect(new Mac(key, length).sign(text)).toBe(expected);
      }),
    );
  });

  it("keeps nothing of the text before", () => {
    const mac = new Mac("key", 4);
    const first = mac.sign("abcd");
    mac.sign("wxyz");
    expect(mac.sign("abcd")).toBe(first);
  });

  it("takes a key as text too: its UTF-8 bytes", () => {
    expect(new Mac("schlüssel", 1).sign("a")).toBe(new Mac(Buffer.from("schlüssel"), 1).sign("a"));
  });

  it("refuses a text of another length", () => {
    expect(() => new Mac("key", 4).sign("abc")).toThrow(RangeError);
  });
});
