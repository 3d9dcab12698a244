import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { contentType } from "./content-type.ts";

describe("Content-Type, RFC 3261 §20.15", () => {
  it("reads a media type in lower case, and its parameters", () => {
    const value = contentType.parse('Multipart / Mixed ; boundary="a;b";charset=UTF-8');
    expect(value.type).toBe("multipart/mixed");
    expect(value.params.get("Boundary")).toBe("a;b");
    expect(contentType.format(value)).toBe('multipart/mixed; boundary="a;b";charset=UTF-8');
    expect(contentType.parse("application/sdp").params.toString()).toBe("");
  });

  it.each([
    "",
    "application",
    "application/",
    "/sdp",
    "application/sdp;",
    "application/sdp;;a=b",
    "a/b/c",
    "a b/c",
    "a/b c",
  ])("refuses %j", (text) => {
    expect(() => contentType.parse(text)).toThrow(ParseError);
  });
});
