import { describe, expect, it } from "vitest";
import { ParseError } from "../errors.ts";
import { HEADERS, optionsText as text } from "../test-kit/options-text.ts";
import { cseq } from "./header/cseq.ts";
import { parsePacket } from "./parse.ts";
import { Request } from "./request.ts";
import { Response } from "./response.ts";
import { validate } from "./validate.ts";

/** What a packet is refused for; it parses. */
function refusal(given: string | Uint8Array): ParseError {
  const packet = parsePacket(given);
  try {
    validate(packet);
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
  throw new Error("nothing speaks against it");
}

describe("the request line", () => {
  it.each([
    ["headers in the URI, §19.1.1", "OPTIONS sip:b?x=y SIP/2.0"],
    ["headers in the URI, after a user", "OPTIONS sips:a@b?x=y SIP/2.0"],
    ["headers in the URI, its scheme in capitals", "OPTIONS SIP:b?x=y SIP/2.0"],
  ])("is refused with %s", (_, start) => {
    const error = refusal(text({}, start));
    expect(error).toMatchObject({ status: 400, message: "Headers in the Request-URI" });
    expect(text({}, start)[error.offset]).toBe("?");
  });

  it.each(["sip:a?b@c", "what:ever?x=y", "tel:+1?x"])("may have %s", (uri) => {
    expect(() => validate(parsePacket(text({}, `OPTIONS ${uri} SIP/2.0`)))).not.toThrow();
  });

  it("has a method of 64 characters at most", () => {
    const method = (length: number): string => "A".repeat(length);
    const of = (name: string): string => text({ CSeq: `1 ${name}` }, `${name} sip:b SIP/2.0`);
    expect(() => validate(parsePacket(of(method(64))))).not.toThrow();
    expect(refusal(of(method(65)))).toMatchObject({ status: 400, message: "Method too long" });
  });
});

describe("a CSeq of another method, RFC 4475 §3.1.2.17, §3.1.2.18", () => {
  it.each([
    ["OPTIONS", 400],
    ["NEWMETHOD", 501],
    ["options", 501],
  ])("%s: %i", (method, status) => {
    const error = refusal(text({ CSeq: "1 INVITE" }, `${method} sip:b SIP/2.0`));
    expect(error).toMatchObject({ header: "CSeq", status });
  });
});

describe("Max-Forwards, RFC 3261 §7.3.1", () => {
  it("may be there once", () => {
    expect(() => validate(parsePacket(text({ "Max-Forwards": "70" })))).not.toThrow();
    expect(refusal(text({ "Max-Forwards": ["70", "1"] }))).toMatchObject({
      status: 400,
      header: "Max-Forwards",
      message: "More than one Max-Forwards",
    });
  });
});

describe("a packet made here", () => {
  it("is checked in the same way", () => {
    const request = new Request("OPTIONS", "sip:bob@example.com", { headers: HEADERS });
    expect(() => validate(request)).not.toThrow();
    request.headers.append("to", "<sip:carol@example.com>");
    expect(() => validate(request)).toThrow("More than one To");
    expect(() => validate(new Response(200))).toThrow("Missing Via");
  });

  it("is refused for what was changed since it was parsed", () => {
    const request = Request.parse(text());
    request.headers.delete("call-id");
    expect(() => validate(request)).toThrow("Missing Call-ID");
    const other = Request.parse(text());
    other.method = "INVITE";
    expect(() => validate(other)).toThrow("CSeq method differs");
  });
});

describe("the headers that every message needs, RFC 3261 §8.1.1", () => {
  it.each(Object.keys(HEADERS))("%s must be there", (name) => {
    expect(refusal(text({ [name]: undefined }))).toMatchObject({
      status: 400,
      header: name,
      message: `Missing ${name}`,
    });
  });

  it.each(["From", "To", "Call-ID", "CSeq"])("%s must be there once", (name) => {
    const value = HEADERS[name] ?? "";
    const error = refusal(text({ [name]: [value, value] }));
    expect(error).toMatchObject({ status: 400, header: name, message: `More than one ${name}` });
    const compact = { From: "f", To: "T", "Call-ID": "i", CSeq: "cseq" }[name] ?? "";
    expect(refusal(text({ [compact]: value }))).toMatchObject({ header: name });
  });

  it("may be many for Via, and the topmost must be sound", () => {
    expect(() => validate(parsePacket(text({ Via: ["SIP/2.0/UDP a", "nonsense"] })))).not.toThrow();
    expect(refusal(text({ Via: ["nonsense", "SIP/2.0/UDP a"] }))).toMatchObject({ header: "Via" });
    expect(refusal(text({ Via: "" }))).toMatchObject({ header: "Via" });
  });

  it.each([
    ["From", "nonsense"],
    ["From", '"unbalanced <sip:a@b>'],
    ["From", "<sip:a@b>;tag=1, <sip:c@d>"],
    ["To", "<sip:a@b"],
    ["To", ""],
    ["To", "<sip:a@b>;;tag=1"],
    ["Call-ID", ""],
    ["Call-ID", "a b"],
    ["Call-ID", "a\tb"],
    ["Call-ID", "a\0b"],
    ["CSeq", "OPTIONS"],
    ["CSeq", "1"],
    ["CSeq", "1 INVITE"],
    ["CSeq", "1 options"],
    ["CSeq", "1OPTIONS"],
    ["CSeq", ""],
  ])("%s may not be %j", (header, value) => {
    expect(refusal(text({ [header]: value }))).toMatchObject({ status: 400, header });
  });

  it.each([
    "+5",
    "-0",
    "0x5",
    "1e3",
    "٣",
    "2147483648",
    "4294967328",
    "99999999999999999999",
    "1.0",
    "",
  ])("CSeq may not be %j OPTIONS", (number) => {
    const bytes = Buffer.from(text({ CSeq: `${number} OPTIONS` }), "utf8");
    expect(refusal(bytes)).toMatchObject({ status: 400, header: "CSeq" });
  });

  it("takes the highest CSeq, and leading zeros", () => {
    expect(parsePacket(text({ CSeq: "2147483647 OPTIONS" })).cseq.number).toBe(2147483647);
    expect(parsePacket(text({ CSeq: "0009   OPTIONS" })).headers.read(cseq)).toEqual({
      number: 9,
      method: "OPTIONS",
    });
  });

  it("checks responses in the same way", () => {
    const response = (change: Record<string, string>): string => text(change, "SIP/2.0 200 OK");
    expect(refusal(response({ CSeq: "x INVITE" }))).toMatchObject({ header: "CSeq" });
    expect(refusal(response({ CSeq: "1 IN(VITE" }))).toMatchObject({ header: "CSeq" });
    expect(refusal(response({ Via: "x" }))).toMatchObject({ header: "Via" });
  });
});
