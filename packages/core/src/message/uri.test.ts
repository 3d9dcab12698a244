import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../errors.ts";
import { Params } from "./params.ts";
import { formatUri, parseSipUri, parseUri, unescapeUser } from "./uri.ts";

describe("parseUri, RFC 3261 §19.1.1", () => {
  it.each([
    ["sip:alice@atlanta.com", { scheme: "sip", user: "alice", host: "atlanta.com" }],
    [
      "SIPS:alice:secret@atlanta.com:5061",
      { scheme: "sips", user: "alice", password: "secret", port: 5061 },
    ],
    ["sip:atlanta.com", { host: "atlanta.com", headers: "" }],
    ["sip:[2001:db8::1]:5060;transport=tcp", { host: "[2001:db8::1]", port: 5060 }],
    ["sip:alice@[2001:db8::192.0.2.1]", { host: "[2001:db8::192.0.2.1]" }],
    [
      "sip:+1-212-555-1212:1234@gateway.com;user=phone",
      { user: "+1-212-555-1212", password: "1234" },
    ],
    ["sip:alice;day=tuesday@atlanta.com", { user: "alice;day=tuesday", host: "atlanta.com" }],
    ["sip:a?b/c@d", { user: "a?b/c", host: "d", headers: "" }],
    [
      "sip:a@b?subject=x%20y&priority=urgent",
      { host: "b", headers: "subject=x%20y&priority=urgent" },
    ],
    ["sip:my_host", { host: "my_host" }],
    ["sip:a@b:65535", { port: 65535 }],
  ])("reads %s", (text, expected) => {
    expect(parseUri(text)).toMatchObject(expected);
  });

  it("reads parameters", () => {
    const { params } = parseSipUri("sip:a@b;transport=TCP;lr;maddr=[::1]?x=1");
    expect(params.get("transport")).toBe("TCP");
    expect(params.has("lr")).toBe(true);
    expect(params.get("maddr")).toBe("[::1]");
    expect(params.toString()).toBe(";transport=TCP;lr;maddr=[::1]");
  });

  it("reads telephone numbers and what it doesn't know", () => {
    const tel = parseUri("tel:+1-201-555-0123;ext=5");
    expect(tel).toMatchObject({ scheme: "tel", number: "+1-201-555-0123" });
    expect("number" in tel && tel.params.get("ext")).toBe("5");
    expect(parseUri("URN:service:sos")).toEqual({ scheme: "urn", text: "URN:service:sos" });
  });

  it.each([
    "",
    "alice",
    "sip:",
    "sip:@b",
    "sip:a@",
    "sip:a@@b",
    "sip:a@b c",
    "sip:a@b:",
    "sip:a@b:x",
    "sip:a@b:65536",
    "sip:a@b:99999999999999999999",
    "sip:a@b:+5",
    "sip:a@b:0x5",
    "sip:a@b:٣",
    "sip:a@b:-0",
    "sip:a@b:1e3",
    "sip:[::1",
    "sip:[]",
    "sip:[x]",
    "sip:a@b/c",
    "<sip:a@b>",
    "sip:a@b\r\n",
    "sip:a\0@b",
    "tel:",
    "1sip:a",
    ":a",
    'sip:"a"@b',
  ])("refuses %j", (text) => {
    expect(() => parseUri(text)).toThrow(ParseError);
    expect(() => parseUri(text)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it("has 416 for a scheme that isn't SIP's where SIP's is needed", () => {
    expect(() => parseSipUri("tel:+1")).toThrow(expect.objectContaining({ status: 416 }));
    expect(() => parseSipUri("http://b")).toThrow(expect.objectContaining({ status: 416 }));
    expect(() => parseSipUri("nonsense")).toThrow(expect.objectContaining({ status: 400 }));
  });

  it("is undone by formatUri", () => {
    const user = fc.stringMatching(/^[a-zA-Z0-9_.!~*'()&=+$,;?/%-]{1,12}$/);
    const host = fc.oneof(
      fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,15}$/),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
    );
    const given = fc.record(
      {
        scheme: fc.constantFrom("sip" as const, "sips" as const),
        user,
        port: fc.integer({ min: 0, max: 65535 }),
        host,
      },
      { requiredKeys: ["scheme", "host"] },
    );
    fc.assert(
      fc.property(given, fc.constantFrom("", "a=b", "a=b&c=%20"), (parts, headers) => {
        const uri = { ...parts, params: new Params(";transport=tcp;lr"), headers };
        const parsed = parseSipUri(formatUri(uri));
        expect(parsed).toMatchObject({ ...parts, headers });
        expect(parsed.params.toString()).toBe(";transport=tcp;lr");
        expect(formatUri(parsed)).toBe(formatUri(uri));
      }),
    );
  });
});

describe("unescapeUser", () => {
  it.each([
    ["alice", "alice"],
    ["%61lice", "alice"],
    ["sips%3Auser%40example.com", "sips:user@example.com"],
    ["null-%00-null", "null-\0-null"],
    ["%d0%b6", "ж"],
    ["%ff", "\xff"],
    ["100%", "100%"],
    ["%zz%4", "%zz%4"],
  ])("makes %s of %s", (raw, user) => {
    expect(unescapeUser(raw)).toBe(user);
  });
});
