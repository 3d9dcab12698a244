import { describe, expect, it } from "vitest";
import { ParseError } from "../errors.ts";
import { parsePacket } from "./parse.ts";
import { refusalTo } from "./refusal.ts";
import { Response } from "./response.ts";
import { validate } from "./validate.ts";

const LINES = [
  "INVITE sip:b SIP/2.0",
  "Via: SIP/2.0/UDP h;branch=a",
  "v: SIP/2.0/UDP",
  "\ti;branch=b",
  "From: <sip:a@b>;tag=1",
  "To: <sip:b@c>",
  "Call-ID: 1",
  "CSeq: 1 BYE",
  "Subject: no",
];

function refused(lines: readonly string[]): Response | undefined {
  const bytes = Buffer.from([...lines, "", ""].join("\r\n"), "utf8");
  try {
    validate(parsePacket(bytes));
  } catch (error) {
    if (error instanceof ParseError) return refusalTo(bytes, error);
  }
  throw new Error("it parsed");
}

describe("refusalTo", () => {
  it("answers with the error's status and phrase, and what identifies the request", () => {
    const response = refused(LINES);
    expect(response).toBeInstanceOf(Response);
    expect(response).toMatchObject({
      status: 400,
      reason: "CSeq method differs from the request's",
    });
    expect([...(response?.headers ?? [])]).toEqual([
      ["Via", "SIP/2.0/UDP h;branch=a"],
      ["Via", "SIP/2.0/UDP i;branch=b"],
      ["From", "<sip:a@b>;tag=1"],
      ["To", expect.stringMatching(/^<sip:b@c>;tag=[0-9a-f]{8}$/)],
      ["Call-ID", "1"],
      ["CSeq", "1 BYE"],
    ]);
    expect(parsePacket(response?.toBytes() ?? "").isRequest).toBe(false);
  });

  it("leaves bytes of UTF-8 at a value's end alone", () => {
    const from = "From: <sip:a@b>;tag=\u00e0";
    expect(refused(LINES.with(4, from))?.headers.get("from")).toBe("<sip:a@b>;tag=\u00e0");
  });

  it("has the same tag for the same request, RFC 3261 §8.2.7, and leaves one that is there", () => {
    expect(refused(LINES)?.toTag).toBe(refused(LINES)?.toTag);
    expect(refused(LINES.with(6, "Call-ID: 2"))?.toTag).not.toBe(refused(LINES)?.toTag);
    expect(refused(LINES.with(5, "To: <sip:b@c>; Tag = x"))?.toTag).toBe("x");
  });

  it("answers what lacks headers, or has them twice, with what is there", () => {
    expect([...(refused(LINES.slice(0, 2))?.headers ?? [])]).toEqual([
      ["Via", "SIP/2.0/UDP h;branch=a"],
    ]);
    const twice = refused([...LINES, "Call-ID: 2"]);
    expect(twice?.headers.getAll("call-id")).toEqual(["1"]);
  });

  it("answers a Via with parameters or a version that nobody understands", () => {
    expect(refused(LINES.with(1, "Via: SIP/2.0/UDP h;;,;"))?.status).toBe(400);
    const version = LINES.with(0, "INVITE sip:b SIP/7.0").with(1, "Via: SIP/7.0/UDP h");
    expect(refused(version)?.status).toBe(505);
  });

  it("keeps quiet for a response, an ACK, and what no answer could find", () => {
    expect(refused(LINES.with(0, "SIP/2.0 200 OK").with(7, "CSeq: x"))).toBeUndefined();
    expect(refused(LINES.with(0, "ACK sip:b SIP/2.0"))).toBeUndefined();
    expect(refused(LINES.with(1, "Via: nonsense"))).toBeUndefined();
    expect(refused([LINES[0] ?? "", ...LINES.slice(4)])).toBeUndefined();
    expect(refused(["garbage"])).toBeUndefined();
    expect(refused([""])).toBeUndefined();
  });

  it("passes on no line end and no NUL", () => {
    expect(refused(LINES.with(4, "From: a\rb"))?.headers.has("from")).toBe(false);
    expect(refused(LINES.with(4, "From: a\0b"))?.headers.has("from")).toBe(false);
  });

  it("reads long white space in time that grows with its length", () => {
    const spaces = " ".repeat(60_000);
    expect(refused(LINES.with(8, `Subject: a${spaces}b`))?.status).toBe(400);
    expect(refused(LINES.with(5, `To: <sip:b@c>${`;${spaces}`.repeat(3)}`))?.status).toBe(400);
  });

  it("keeps UTF-8", () => {
    const response = refused(LINES.with(4, 'From: "ж" <sip:a@b>;tag=1'));
    expect(response?.from.displayName).toBe("ж");
  });
});
