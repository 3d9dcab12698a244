import { describe, expect, it } from "vitest";
import { Request } from "./request.ts";

const HEAD =
  "OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n" +
  "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";

describe("what others may read as other lines", () => {
  it.each([
    ["a CR alone", "Subject: a\rb\r\n", true],
    ["a name that is none", "Sub\x01ject: a\r\n", true],
    ["a line without a colon", "Subject\r\n", true],
    ["a Content-Length that is no number", "Content-Length: five\r\n", false],
    ["a line that is too long", `Subject: ${"a".repeat(9000)}\r\n`, false],
  ])("%s: %s", (_what, line, isAmbiguous) => {
    expect(() => Request.parse(`${HEAD}${line}\r\n`)).toThrow(
      expect.objectContaining({ status: 400, isAmbiguous }),
    );
  });
});

describe("a CR without its LF, RFC 3261 §25.1", () => {
  it.each([
    ["in a value", "Subject: a\rVia: b\r\n"],
    ["at a value's end", "Subject: a\r\r\n"],
  ])("is refused %s", (_where, line) => {
    expect(() => Request.parse(`${HEAD}${line}\r\n`)).toThrow("A CR without its LF");
  });

  it("may stand in a body", () => {
    const request = Request.parse(`${HEAD}Content-Length: 3\r\n\r\na\r\0`);
    expect([...request.body]).toEqual([0x61, 0x0d, 0x00]);
  });

  it("isn't missed: LF alone ends a line too", () => {
    expect(
      Request.parse(`${HEAD.replaceAll("\r\n", "\n")}Subject: a\n\n`).headers.get("subject"),
    ).toBe("a");
  });
});
