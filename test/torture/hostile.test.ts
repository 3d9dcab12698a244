import { describe, expect, it } from "vitest";
import { type Outcome, TortureServer } from "./torture-server.ts";

type Lines = Readonly<Record<string, string | readonly string[] | undefined>>;

const HEADERS: Lines = {
  Via: "SIP/2.0/UDP 192.0.2.200;branch=z9hG4bKhostile",
  "Max-Forwards": "70",
  From: "<sip:alice@example.com>;tag=1",
  To: "<sip:bob@example.com>",
  "Call-ID": "hostile",
  CSeq: "1 MESSAGE",
  "Content-Length": "5",
};
const START = "MESSAGE sip:bob@example.com SIP/2.0";
const BODY = "hello";

/** A request behind the one at fault: it must run on a stream that can still be cut, and only there. */
const SMUGGLED = [
  "MESSAGE sip:smuggled@example.com SIP/2.0",
  "Via: SIP/2.0/UDP 192.0.2.200;branch=z9hG4bKsmuggled",
  "From: <sip:alice@example.com>;tag=2",
  "To: <sip:smuggled@example.com>",
  "Call-ID: smuggled",
  "CSeq: 1 MESSAGE",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

/** A MESSAGE with some lines changed, as a wire string; `undefined` leaves a header out. */
function message(change: Lines = {}, start: string = START, body: string = BODY): string {
  const lines = Object.entries({ ...HEADERS, ...change }).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each) => `${name}: ${each}`),
  );
  return `${[start, ...lines].join("\r\n")}\r\n\r\n${body}`;
}

/** A MESSAGE with raw text after its other headers. */
function withRaw(raw: string, change: Lines = {}, body: string = BODY): string {
  return message(change, START, body).replace("\r\n\r\n", `\r\n${raw}\r\n\r\n`);
}

/** What comes of a message, and of what is smuggled behind it. */
interface Fate {
  /** Its final status; `undefined`: it is not answered. */
  readonly status: number | undefined;
  readonly counted: Readonly<Record<string, number>>;
  readonly smuggledRan: boolean;
  readonly closed: boolean;
}

function fateOf({ answers, seen, counted, closed }: Outcome): Fate {
  const statuses = answers.flatMap((packet) =>
    packet.isRequest || packet.headers.get("call-id") === "smuggled" ? [] : [packet.status],
  );
  expect(statuses.length).toBeLessThan(2);
  const { accepted: _, ...rest } = counted;
  return {
    status: statuses[0],
    counted: rest,
    smuggledRan: seen.some(({ callId }) => callId === "smuggled"),
    closed,
  };
}

async function inDatagram(wire: string): Promise<Fate> {
  const server = await TortureServer.start("uas");
  const outcome = await server.datagram(Buffer.from(wire, "latin1"));
  expect(await server.close()).toEqual([]);
  expect(server.errors).toEqual([]);
  return fateOf(outcome);
}

async function onStream(wire: string, step = 0): Promise<Fate> {
  const server = await TortureServer.start("uas");
  const outcome = await server.stream(Buffer.from(`${wire}${SMUGGLED}`, "latin1"), { step });
  expect(await server.close()).toEqual([]);
  expect(server.errors).toEqual([]);
  return fateOf(outcome);
}

const TAKEN: Fate = { status: 200, counted: {}, smuggledRan: false, closed: false };
const REFUSED: Fate = { ...TAKEN, status: 400, counted: { malformedMessages: 1 } };
/** On a stream that can be cut all the same. */
const AND_ON: Partial<Fate> = { smuggledRan: true };
/** On a stream that can't be cut any more. */
const UNFRAMEABLE: Fate = {
  status: 400,
  counted: { malformedMessages: 1, unframeableStreams: 1 },
  smuggledRan: false,
  closed: true,
};
/** On a stream on which somebody else may have seen other messages. */
const DISTRUSTED: Fate = {
  ...UNFRAMEABLE,
  counted: { malformedMessages: 1, distrustedStreams: 1 },
};

describe("Content-Length, RFC 3261 §18.3, §20.14", () => {
  it("absent: the datagram's end, or 400 on a stream that is closed", async () => {
    const wire = message({ "Content-Length": undefined });
    expect(await inDatagram(wire)).toEqual(TAKEN);
    expect(await onStream(wire)).toEqual(UNFRAMEABLE);
  });

  it("doubled, and the same: taken", async () => {
    const wire = message({ "Content-Length": ["5", "5"], l: "05" });
    expect(await inDatagram(wire)).toEqual(TAKEN);
    expect(await onStream(wire)).toEqual({ ...TAKEN, ...AND_ON });
  });

  it.each([
    ["5", "6"],
    ["0", "5"],
    ["5", "0"],
    ["5", "+5"],
    ["5", ""],
  ])("doubled, and different (%j, %j): 400, closed", async (first, second) => {
    for (const change of [
      { "Content-Length": [first, second] },
      { "Content-Length": first, l: second },
    ]) {
      expect(await inDatagram(message(change))).toEqual(REFUSED);
      expect(await onStream(message(change))).toEqual(UNFRAMEABLE);
    }
  });

  it.each([
    "-5",
    "-0",
    "+5",
    "0x5",
    "5.0",
    "5e0",
    "five",
    "5 5",
    "5, 5",
    "5;a",
    "",
    "\xef\xbc\x95",
    "5\0",
    "5\x0b",
    "\xa05",
    "1\r\n 5",
  ])("%j is no number: 400, closed", async (length) => {
    expect(await inDatagram(message({ "Content-Length": length }))).toEqual(REFUSED);
    expect(await onStream(message({ "Content-Length": length }))).toEqual(UNFRAMEABLE);
  });

  it.each([
    "4294967301",
    "4294967328",
    "9007199254740997",
    "18446744073709551621",
    "9".repeat(400),
  ])("%s, which some count as 5 or 32, is too long: 413, closed", async (length) => {
    const wire = message({ "Content-Length": length });
    expect(await inDatagram(wire)).toEqual(REFUSED);
    expect(await onStream(wire)).toEqual({ ...UNFRAMEABLE, status: 413 });
  });

  it("shorter than a datagram: what follows is noise; on a stream it is the next message", async () => {
    const wire = message({}, START, `${BODY}${SMUGGLED}`);
    expect(await inDatagram(wire)).toEqual(TAKEN);
    expect(await onStream(message())).toEqual({ ...TAKEN, ...AND_ON });
  });

  it("longer than a datagram: 400; a stream waits, and is closed when nothing comes", async () => {
    const wire = message({ "Content-Length": "5000" });
    expect(await inDatagram(wire)).toEqual(REFUSED);
    expect(await onStream(wire, 1000)).toEqual({
      status: undefined,
      counted: { silentConnections: 1 },
      smuggledRan: false,
      closed: true,
    });
  });

  it.each([
    ["folded", "Content-Length:\r\n 5"],
    ["with a space before the colon", "Content-Length : 5"],
    ["in small letters", "content-length:5"],
    ["with leading zeros", "l:0000000000000000000000005"],
  ])("%s: taken", async (_, line) => {
    const wire = withRaw(line, { "Content-Length": undefined });
    expect(await inDatagram(wire)).toEqual(TAKEN);
    expect(await onStream(wire)).toEqual({ ...TAKEN, ...AND_ON });
  });
});

describe("control characters round a header's name, RFC 3261 §7.3.1", () => {
  it.each([
    "Content-Length\x01: 5",
    "Content-Length\0: 5",
    "Content-Length\x0b: 5",
    "Content-Length\x7f: 5",
    "Content-Length\xa0: 5",
    "\x01Content-Length: 5",
    "\xef\xbb\xbfContent-Length: 5",
  ])("%j is no Content-Length: 400, closed", async (line) => {
    const wire = withRaw(line, { "Content-Length": undefined });
    expect(await inDatagram(wire)).toEqual(REFUSED);
    expect(await onStream(wire)).toEqual(UNFRAMEABLE);
  });

  it.each([
    "X\x01: a",
    "X\0: a",
    "X\x08Y: a",
    "X Y: a",
    ": a",
    "X",
    "X\xe9: a",
    "Content-Length\x01: 900",
    "X\r\n : a",
    "Content-Length\r\n : 5",
    "Content-Length\r: 5",
  ])("%j beside a Content-Length: 400, closed", async (line) => {
    expect(await inDatagram(withRaw(line))).toEqual(REFUSED);
    expect(await onStream(withRaw(line))).toEqual(DISTRUSTED);
  });
});

describe("a CR alone, RFC 3261 §25.1", () => {
  it.each([
    "X: a\rContent-Length: 900",
    "X: a\r",
    "X: a\r\r",
    "X: a\r b",
    "X: a\r\n b\rc",
    "Subject: \r\r\n ",
  ])("%j: 400, closed", async (line) => {
    expect(await inDatagram(withRaw(line))).toEqual(REFUSED);
    expect(await onStream(withRaw(line))).toEqual(DISTRUSTED);
  });

  it("in the request line: 400", async () => {
    const wire = message({}, "MESSAGE sip:bob@example.com\r SIP/2.0");
    expect(await inDatagram(wire)).toEqual(REFUSED);
    expect(await onStream(wire)).toEqual({ ...REFUSED, ...AND_ON });
  });

  it("in a body: taken", async () => {
    expect(await inDatagram(message({}, START, "\r\r\r\r\r"))).toEqual(TAKEN);
    expect(await onStream(message({}, START, "\r\n\r\n\r"))).toEqual({ ...TAKEN, ...AND_ON });
  });
});

describe("NUL", () => {
  it.each([
    ["the method", message({}, "MESS\0AGE sip:bob@example.com SIP/2.0")],
    ["the request-URI", message({}, "MESSAGE sip:bo\0b@example.com SIP/2.0")],
    ["the version", message({}, "MESSAGE sip:bob@example.com SIP/2.\0")],
    ["From", message({ From: "<sip:al\0ice@example.com>;tag=1" })],
    ["a tag", message({ From: "<sip:alice@example.com>;tag=\0" })],
    ["a display name", message({ To: "b\0b <sip:bob@example.com>" })],
    ["To", message({ To: "\0" })],
    ["Call-ID", message({ "Call-ID": "hos\0tile" })],
    ["CSeq", message({ CSeq: "1\0 MESSAGE" })],
    ["CSeq's method", message({ CSeq: "1 MESSAGE\0" })],
    ["sent-by", message({ Via: "SIP/2.0/UDP 192.0.2.200\0;branch=z9hG4bK1" })],
    ["the branch", message({ Via: "SIP/2.0/UDP 192.0.2.200;branch=z9hG4bK\0" })],
  ])("in %s: 400, and the stream goes on", async (_, wire) => {
    const fate = await inDatagram(wire);
    expect({ ...fate, status: 400 }).toEqual(REFUSED);
    expect([400, undefined]).toContain(fate.status);
    expect(await onStream(wire)).toEqual({ ...fate, ...AND_ON });
  });

  it.each([
    ["a value that nobody reads", withRaw("X: a\0b")],
    ["a quoted string", message({ From: '"a\\\0b" <sip:alice@example.com>;tag=1' })],
    ["a body", message({}, START, "\0\0\0\0\0")],
  ])("in %s: taken", async (_, wire) => {
    expect(await inDatagram(wire)).toEqual(TAKEN);
    expect(await onStream(wire)).toEqual({ ...TAKEN, ...AND_ON });
  });
});

describe("folded lines, RFC 3261 §7.3.1", () => {
  it.each([
    ["over nothing but white space", "Subject: a\r\n \r\n\t\r\n b"],
    ["that look like the end of the head", "Subject: a\r\n \r\n \t"],
    ["that look like another header", "Subject: a\r\n Content-Length: 900"],
    ["that look like another header, by a tab", "Subject: a\r\n\tl: 900"],
    ["by LF alone", "Subject: a\n Content-Length: 900"],
  ])("%s: taken", async (_, line) => {
    expect(await inDatagram(withRaw(line))).toEqual(TAKEN);
    expect(await onStream(withRaw(line))).toEqual({ ...TAKEN, ...AND_ON });
  });

  it("of the request line: 400", async () => {
    for (const start of [`${START}\r\n `, `${START}\r\n X: a`, "MESSAGE\r\n sip:bob@b SIP/2.0"]) {
      const wire = message({}, start);
      const fate = await inDatagram(wire);
      expect(fate).toEqual({ ...REFUSED, status: fate.status });
      expect([400, undefined]).toContain(fate.status);
      expect((await onStream(wire)).status).toBe(fate.status);
    }
  });
});

describe("a header that may be there once, twice, RFC 3261 §7.3.1", () => {
  it.each(["From", "To", "Call-ID", "CSeq", "Max-Forwards"])("%s: 400", async (name) => {
    const value = String(HEADERS[name]);
    for (const second of [value, value.replace(/\d/, "2")]) {
      const wire = message({ [name]: [value, second] });
      expect(await inDatagram(wire)).toEqual(REFUSED);
      expect(await onStream(wire)).toEqual({ ...REFUSED, ...AND_ON });
    }
  });

  it.each([
    ["f", "<sip:mallory@example.com>;tag=1"],
    ["T", "<sip:mallory@example.com>"],
    ["i", "another"],
    ["cseq", "2 MESSAGE"],
    ["MAX-FORWARDS", "1"],
  ])("by another name, %s: 400", async (name, value) => {
    expect(await inDatagram(message({ [name]: value }))).toEqual(REFUSED);
  });

  it.each([
    ["a second value in From", { From: "<sip:a@b>;tag=1, <sip:c@d>;tag=2" }],
    ["a second value in Call-ID", { "Call-ID": "hostile, other" }],
    ["a second value in CSeq", { CSeq: "1 MESSAGE, 2 MESSAGE" }],
  ])("%s: 400", async (_, change) => {
    expect(await inDatagram(message(change))).toEqual(REFUSED);
  });
});

describe("Via", () => {
  const via = "SIP/2.0/UDP 192.0.2.200;branch=z9hG4bKhostile";

  it.each([
    ["a second one that is malformed", { Via: [via, "nonsense"] }, 200],
    ["a second one that is empty", { Via: [via, ""] }, 200],
    ["an empty value before it", { Via: `,${via}` }, 200],
    ["the version of another protocol", { Via: "SIP/3.0/UDP 192.0.2.200" }, 400],
    ["a port over 65,535", { Via: "SIP/2.0/UDP 192.0.2.200:65536" }, 400],
    ["a port below 0", { Via: "SIP/2.0/UDP 192.0.2.200:-1" }, 400],
    ["a quote that isn't closed", { Via: `${via};x="` }, 400],
  ])("%s: %i", async (_, change, status) => {
    const expected = status === 200 ? TAKEN : REFUSED;
    expect(await inDatagram(message(change))).toEqual(expected);
    expect(await onStream(message(change))).toEqual({ ...expected, ...AND_ON });
  });

  it.each([
    ["none", { Via: undefined }],
    ["one that names nobody", { Via: "SIP/2.0/UDP" }],
    ["one that is empty", { Via: "" }],
  ])("%s: there is nobody to answer", async (_, change) => {
    const dropped = { ...REFUSED, status: undefined };
    expect(await inDatagram(message(change))).toEqual(dropped);
    expect(await onStream(message(change))).toEqual({ ...dropped, ...AND_ON });
  });
});

describe("numbers and lengths", () => {
  it.each([
    ["2147483647", TAKEN],
    ["2147483648", REFUSED],
    ["4294967296", REFUSED],
    ["4294967297", REFUSED],
    ["36893488147419103232", REFUSED],
    ["-1", REFUSED],
    ["+1", REFUSED],
    ["0x1", REFUSED],
    ["1.0", REFUSED],
  ])("CSeq %s", async (number, fate) => {
    const wire = message({ CSeq: `${number} MESSAGE` });
    expect(await inDatagram(wire)).toEqual(fate);
    expect(await onStream(wire)).toEqual({ ...fate, ...AND_ON });
  });

  it("a method of 800 bytes: 400", async () => {
    const method = "M".repeat(800);
    const wire = message({ CSeq: `1 ${method}` }, `${method} sip:bob@example.com SIP/2.0`);
    expect(await inDatagram(wire)).toEqual(REFUSED);
    expect(await onStream(wire)).toEqual({ ...REFUSED, ...AND_ON });
  });

  it.each([
    ["a request-URI", 414, message({}, `MESSAGE sip:${"b".repeat(2100)}@example.com SIP/2.0`)],
    ["a line", 400, withRaw(`X: ${"a".repeat(9000)}`)],
    ["a folded line", 400, withRaw(`X: ${"a\r\n ".repeat(3000)}`)],
    ["the number of lines", 400, withRaw(Array.from({ length: 260 }, () => "X: a").join("\r\n"))],
    [
      "the head",
      513,
      withRaw(Array.from({ length: 8 }, () => `X: ${"a".repeat(8180)}`).join("\r\n")),
    ],
  ])("over the bound of %s: %i", async (what, status, wire) => {
    expect(await inDatagram(wire)).toEqual({ ...REFUSED, status });
    // The head alone is longer than a message may be.
    const fate = what === "the head" ? UNFRAMEABLE : { ...REFUSED, ...AND_ON };
    expect(await onStream(wire)).toEqual({ ...fate, status });
  });
});
