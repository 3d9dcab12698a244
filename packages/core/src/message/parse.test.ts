import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../errors.ts";
import { START, optionsText as text } from "../test-kit/options-text.ts";
import { parsePacket } from "./parse.ts";
import { defaultParseLimits } from "./parse-limits.ts";
import { Request } from "./request.ts";
import { Response } from "./response.ts";
import { validate } from "./validate.ts";

/** The error that a text is refused with, by the parser or by the validator. */
function refusal(given: string | Uint8Array): ParseError {
  try {
    validate(parsePacket(given));
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
  throw new Error("it parsed");
}

describe("parsePacket", () => {
  it("reads a request", () => {
    const packet = parsePacket(text());
    expect(packet).toBeInstanceOf(Request);
    expect(packet).toMatchObject({
      isRequest: true,
      method: "OPTIONS",
      uri: "sip:bob@example.com",
      branch: "z9hG4bKabc",
      fromTag: "1",
      toTag: undefined,
      callId: "a84b4c76e66710@192.0.2.1",
      cseq: { number: 63104, method: "OPTIONS" },
    });
    expect(packet.from).toMatchObject({ displayName: "Alice", uri: "sip:alice@example.com" });
    expect(packet.body).toEqual(new Uint8Array(0));
  });

  it("reads a response", () => {
    const packet = parsePacket(text({ To: "<sip:b@c>;tag=2" }, "SIP/2.0 486 Busy Here"));
    expect(packet).toBeInstanceOf(Response);
    expect(packet).toMatchObject({
      isRequest: false,
      status: 486,
      reason: "Busy Here",
      method: "OPTIONS",
      toTag: "2",
    });
  });

  it("takes bytes of any kind, and a wire string, for the same", () => {
    const given = text({ Subject: "caf\xc3\xa9" }, START, "\xff\0\r\n");
    const whole = Buffer.from(`xx${given}`, "latin1");
    for (const bytes of [given, whole.subarray(2), new Uint8Array(whole.subarray(2))]) {
      const packet = parsePacket(bytes);
      expect(packet.headers.get("subject")).toBe("café");
      expect(packet.body).toEqual(Uint8Array.of(0xff, 0, 13, 10));
      expect(packet.toWire()).toBe(given);
    }
  });

  it("takes a bare LF as line end, and empty lines before the start", () => {
    const given = text({ "X-Folded": "a\n b" }, START, "x").replaceAll("\r\n", "\n");
    const packet = parsePacket(`\r\n\n${given}`);
    expect(packet.headers.get("x-folded")).toBe("a b");
    expect(packet.branch).toBe("z9hG4bKabc");
    expect(packet.body).toHaveLength(1);
    expect(packet.toWire()).toBe(given);
  });

  it("gives what it's asked for alone", () => {
    expect(() => Request.parse(text({}, "SIP/2.0 200 OK"))).toThrow(ParseError);
    expect(() => Response.parse(text())).toThrow(ParseError);
    expect(Request.parse(text()).isRequest).toBe(true);
    expect(Response.parse(text({}, "sip/2.0 200 OK")).isRequest).toBe(false);
  });
});

describe("the request line, RFC 3261 §7.1", () => {
  it.each([
    [
      "brackets",
      "REGISTER <sip:127.0.0.1:5060;transport=tcp> SIP/2.0",
      "sip:127.0.0.1:5060;transport=tcp",
    ],
    ["a scheme that nobody knows", "REGISTER what:ever SIP/2.0", "what:ever"],
    ["a version in small letters", "REGISTER sip:b sip/2.0", "sip:b"],
    ["a question mark in the user part", "REGISTER sip:a?b@c SIP/2.0", "sip:a?b@c"],
    ["bytes beyond ASCII", "REGISTER sip:\xc3\xa9@c SIP/2.0", "sip:é@c"],
  ])("may have %s", (_, start, uri) => {
    const given = text({ CSeq: "1 REGISTER" }, start);
    const packet = Request.parse(given);
    expect(packet).toMatchObject({ method: "REGISTER", uri });
    // RFC 4475 §3.1.2.7: brackets are not sent on. §7.1: the version is sent in capitals.
    const line = start.replace(/<(.*)>/, "$1").replace("sip/2.0", "SIP/2.0");
    expect(packet.toWire().startsWith(`${line}\r\n`)).toBe(true);
    if (line === start) expect(packet.toWire()).toBe(given);
  });

  it.each([
    ["one word", "OPTIONS", 400],
    ["no version", "OPTIONS sip:b", 400],
    ["no URI", "OPTIONS SIP/2.0", 400],
    ["an empty URI", "OPTIONS  SIP/2.0", 400],
    ["empty brackets", "OPTIONS <> SIP/2.0", 400],
    ["two spaces", "OPTIONS  sip:b SIP/2.0", 400],
    ["a space in the URI", "OPTIONS sip:b; lr SIP/2.0", 400],
    ["a tab in the URI", "OPTIONS sip:b\t;lr SIP/2.0", 400],
    ["a control character in the URI", "OPTIONS sip:b\x01 SIP/2.0", 400],
    ["a quote in the URI", 'OPTIONS sip:"b" SIP/2.0', 400],
    ["a URI without scheme", "OPTIONS bob@example.com SIP/2.0", 400],
    ["a scheme alone", "OPTIONS sip: SIP/2.0", 400],
    ["a space at the end", "OPTIONS sip:b SIP/2.0 ", 400],
    ["a method that is no token", "OPT(IONS sip:b SIP/2.0", 400],
    ["a space before the method", " OPTIONS sip:b SIP/2.0", 400],
    ["another version", "OPTIONS sip:b SIP/3.0", 505],
    ["another minor version", "OPTIONS sip:b SIP/2.01", 505],
    ["a version that is none", "OPTIONS sip:b SIP/x.0", 400],
    ["another protocol", "OPTIONS sip:b HTTP/1.1", 400],
    ["an endless URI", `OPTIONS sip:${"a".repeat(2050)}@b SIP/2.0`, 414],
  ])("is refused with %s", (_, start, status) => {
    expect(refusal(text({}, start))).toMatchObject({ status });
  });
});

describe("the status line, RFC 3261 §7.2", () => {
  it.each([
    ["SIP/2.0 200 OK", 200, "OK"],
    ["SIP/2.0 100 ", 100, ""],
    ["SIP/2.0 100", 100, ""],
    ["SIP/2.0 699 a  b", 699, "a  b"],
    ["SIP/2.0 200 \xc3\xa9", 200, "é"],
  ])("%s is read", (start, status, reason) => {
    expect(Response.parse(text({}, start))).toMatchObject({ status, reason });
  });

  it.each([
    "SIP/2.0",
    "SIP/2.0 ",
    "SIP/2.0 20 OK",
    "SIP/2.0 2000 OK",
    "SIP/2.0 099 x",
    "SIP/2.0 700 x",
    "SIP/2.0 +20 x",
    "SIP/2.0 0x5 x",
    "SIP/2.0  200 OK",
    "SIP/2.0 4294967501 x",
    "SIP/2.0 200OK",
    "SIP/2.0 ٢٠٠ OK",
  ])("%s is refused", (start) => {
    expect(refusal(Buffer.from(text({}, start), "utf8"))).toMatchObject({ status: 400 });
  });

  it("is sent with the version in capitals", () => {
    const response = Response.parse(text({}, "Sip/2.0 200 Fine"));
    expect(response).toMatchObject({ status: 200, reason: "Fine" });
    expect(response.toWire()).toMatch(/^SIP\/2\.0 200 Fine\r\n/);
    expect(response.clone().toWire()).toMatch(/^SIP\/2\.0 200 Fine\r\n/);
  });

  it("may not hide another line behind a CR", () => {
    expect(refusal(text({}, "SIP/2.0 200 OK\rSubject: x"))).toMatchObject({ status: 400 });
  });

  it("has a version that is ours", () => {
    expect(refusal(text({}, "SIP/3.0 200 OK"))).toMatchObject({ status: 505 });
  });
});

describe("Content-Length, RFC 3261 §18.3", () => {
  it("cuts what follows the body", () => {
    const packet = parsePacket(text({ "Content-Length": "2" }, START, "abcdef"));
    expect(packet.body).toEqual(Uint8Array.of(97, 98));
    expect(packet.toWire()).toBe(text({ "Content-Length": "2" }, START, "ab"));
  });

  it("leaves the whole datagram to the body when it isn't there", () => {
    expect(parsePacket(text({}, START, "abc")).body).toHaveLength(3);
  });

  it("may come twice when it says the same", () => {
    const packet = parsePacket(text({ "Content-Length": "1", l: "01" }, START, "ab"));
    expect(packet.body).toHaveLength(1);
  });

  it.each([
    ["longer than the datagram", "4"],
    ["negative", "-1"],
    ["signed", "+3"],
    ["in hexadecimal", "0x3"],
    ["in other digits", "٣"],
    ["empty", ""],
    ["a list", "3, 3"],
    ["endless", "9".repeat(400)],
    ["over 2³²", "4294967299"],
  ])("is refused when it is %s", (_, value) => {
    const bytes = Buffer.from(text({ "Content-Length": value }, START, "abc"), "utf8");
    expect(refusal(bytes)).toMatchObject({ status: 400, header: "Content-Length" });
  });

  it("is refused when it is there twice and differs", () => {
    expect(refusal(text({ "Content-Length": "1", l: "2" }, START, "abc"))).toMatchObject({
      status: 400,
      header: "Content-Length",
    });
  });
});

describe("limits", () => {
  const over = (error: ParseError, status: number): void => {
    expect(error).toBeInstanceOf(ParseError);
    expect(error.status).toBe(status);
  };

  it("bounds a line, also one that is folded", () => {
    expect(parsePacket(text({ "X-Long": "a".repeat(8000) })).headers.has("x-long")).toBe(true);
    over(refusal(text({ "X-Long": "a".repeat(8200) })), 400);
    over(refusal(text({ "X-Long": "a\r\n ".repeat(3000) })), 400);
  });

  it("bounds the lines", () => {
    const many = (n: number): string => text({ X: Array.from({ length: n }, () => "y") });
    expect([...parsePacket(many(251)).headers]).toHaveLength(256);
    over(refusal(many(252)), 400);
  });

  it("bounds the head", () => {
    const line = "y".repeat(8000);
    expect(parsePacket(text({ X: Array.from({ length: 8 }, () => line) })).isRequest).toBe(true);
    over(refusal(text({ X: Array.from({ length: 9 }, () => line) })), 513);
  });

  it("are options", () => {
    const limits = { ...defaultParseLimits, uri: 5 };
    expect(() => parsePacket(text(), limits)).toThrow(expect.objectContaining({ status: 414 }));
    expect(Request.parse(text(), { ...limits, uri: 100 }).isRequest).toBe(true);
  });
});

describe("hostile bytes", () => {
  it.each([
    ["nothing", ""],
    ["line ends alone", "\r\n\r\n\r\n"],
    ["no line end", "OPTIONS sip:b SIP/2.0"],
    ["a head that doesn't end", text().slice(0, -4)],
    ["a head that ends in the middle of a name", `${text().slice(0, -2)}Subj`],
    ["a folded line that doesn't end", `${text().slice(0, -2)}Subject: a\r\n b`],
    ["a line without colon", `${START}\r\nnonsense\r\n\r\n`],
    ["a line that begins with a colon", text({ "": "x" })],
    ["a folded first line", `${START}\r\n Via: x\r\n\r\n`],
    ["a control character before the colon", text({ "X-\x01": "x" })],
    ["NUL before the colon", text({ "Via\0": "x" })],
    ["CR before the colon", text({ "Call\rID": "x" })],
    ["a space within a name", text({ "X Y": "x" })],
    ["a byte beyond ASCII before the colon", text({ "X\xe9": "x" })],
    [
      "noise",
      Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 7919) % 256)).toString("latin1"),
    ],
  ])("%s: 400", (_, given) => {
    expect(refusal(given)).toMatchObject({ code: "SIP_PARSE", status: 400 });
  });

  it("names neither bytes nor lengths of the message in what goes back to the sender", () => {
    const { message } = refusal(text({ From: "<script>" }));
    expect(message).not.toContain("script");
    expect(message).toMatch(/^[ -~]{1,60}$/);
  });

  it("takes 100 kB of commas for too large a head", () => {
    expect(refusal(text({ Supported: ",".repeat(100_000) }))).toMatchObject({ status: 400 });
    const commas = Array.from({ length: 7 }, () => ",".repeat(8000));
    const packet = parsePacket(text({ Supported: commas, Contact: commas[0] }));
    expect(packet.headers.getAll("supported")).toEqual([]);
    expect(packet.headers.getAll("contact")).toEqual([]);
    expect(packet.headers.get("contact")).toBeUndefined();
  });

  it("reads thousands of parameters, quotes and folds in time that grows with their number", () => {
    const long = [";a=b".repeat(2000), ';a="b"'.repeat(1300), ";a".repeat(4000)];
    for (const params of long) {
      const packet = parsePacket(
        text({ From: `<sip:a@b>${params};tag=1`, Contact: `<sip:a@b>${params}` }),
      );
      expect(packet.fromTag).toBe("1");
    }
    expect(refusal(text({ From: `"${'\\"'.repeat(4000)}` }))).toMatchObject({ header: "From" });
    const spaces = parsePacket(text({ X: `a${" ".repeat(8000)}\r\n\tb` }));
    expect(spaces.headers.get("x")?.length).toBeGreaterThan(8000);
  });

  it("throws nothing but ParseError, whatever one changes in a message", () => {
    const whole = Buffer.from(text({ Contact: "<sip:a@b>;q=0.5", Expires: "60" }), "latin1");
    const change = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(20), (changes, cut) => {
        const bytes = Buffer.from(whole.subarray(0, whole.length - cut));
        for (const [at, octet] of changes) if (at < bytes.length) bytes[at] = octet;
        try {
          const packet = parsePacket(bytes);
          expect(Buffer.from(packet.toBytes())).toEqual(
            bytes.subarray(bytes.length - packet.toBytes().length),
          );
          if (packet.isRequest) packet.createResponse(200).toWire();
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("reads the same whether it is asked for one thing or all", () => {
    const host = fc.stringMatching(/^[a-z0-9.-]{1,10}$/);
    const token = fc.stringMatching(/^[A-Za-z0-9.~-]{1,10}$/);
    fc.assert(
      fc.property(
        host,
        token,
        token,
        token,
        fc.constantFrom("", " ", '"x;y" ', "x "),
        (h, b, f, t, name) => {
          const packet = parsePacket(
            text({
              Via: `SIP/2.0/TCP ${h};x="a,b";branch=${b} , SIP/2.0/UDP y;branch=no`,
              From: `${name}<sip:${h}>;x=1;tag=${f}`,
              To: `${name}<sip:${h}>;tag=${t};x`,
            }),
          );
          expect(packet.branch).toBe(b);
          expect(packet.topmostVia).toMatchObject({ host: h, branch: b });
          expect([packet.fromTag, packet.toTag]).toEqual([f, t]);
          expect([packet.from.tag, packet.to.tag]).toEqual([f, t]);
        },
      ),
    );
  });
});
