import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StreamFramer } from "./stream-framer.ts";

const MAX = 65_536;

interface Seen {
  readonly messages: string[];
  keepAlives?: number;
  readonly faults: { status: number; message: string; head: string }[];
  pings: number;
}

function framer(maxMessage: number = MAX): { framer: StreamFramer; seen: Seen } {
  const seen: Seen = { messages: [], faults: [], pings: 0 };
  const sink = {
    message: (bytes: Uint8Array) => seen.messages.push(latin1(bytes)),
    ping: () => {
      seen.pings += 1;
    },
    keepAlive: () => {
      seen.keepAlives = (seen.keepAlives ?? 0) + 1;
    },
    malformed: (error: { status: number; message: string }, head: Uint8Array) =>
      seen.faults.push({ status: error.status, message: error.message, head: latin1(head) }),
  };
  return { framer: new StreamFramer(sink, maxMessage), seen };
}

/** Feeds a stream cut into the given pieces, each in a buffer of its own, as reads from a socket are. */
function feed(pieces: readonly string[], maxMessage?: number): Seen {
  const { framer: cutter, seen } = framer(maxMessage);
  for (const piece of pieces) cutter.push(Uint8Array.from(Buffer.from(piece, "latin1")));
  return seen;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function message(length: string, body = ""): string {
  return `MESSAGE sip:bob@example.com SIP/2.0\r\nCall-ID: c\r\n${length}\r\nCSeq: 1 MESSAGE\r\n\r\n${body}`;
}

function cutAt(text: string, positions: readonly number[]): string[] {
  const cuts = [0, ...[...positions].sort((a, b) => a - b), text.length];
  return cuts.slice(1).map((end, index) => text.slice(cuts[index], end));
}

describe("stream framer, RFC 3261 §18.3", () => {
  const first = message("Content-Length: 11", "v=0\r\n\r\nl: 9");
  const second = message("l:0");

  it("gives the same messages wherever the stream is cut in two", () => {
    const stream = `\r\n${first}${second}\r\n\r\n${first}`;
    for (let at = 0; at <= stream.length; at += 1) {
      const seen = feed([stream.slice(0, at), stream.slice(at)]);
      expect(seen).toEqual({ messages: [first, second, first], faults: [], pings: 1 });
    }
  });

  it("gives the same messages when each byte comes alone", () => {
    const seen = feed([...`${first}${second}\r\n\r\n${second}`]);
    expect(seen).toEqual({ messages: [first, second, second], faults: [], pings: 1 });
  });

  it("gives the same messages for any bodies, header spellings and cuts", {
    timeout: 30_000,
  }, () => {
    const spelling = fc.constantFrom(
      "Content-Length: ",
      "content-length:",
      "CONTENT-LENGTH  :\t",
      "l: ",
      "L :",
      "Content-Length:\r\n ",
      "l:\r\n\t\r\n ",
    );
    const one = fc
      .tuple(spelling, fc.string({ unit: "binary", maxLength: 40 }), fc.boolean())
      .map(([name, text, crlf]) => {
        const body = Buffer.from(text).toString("latin1");
        const whole = message(`${name}${body.length} `, body);
        return crlf
          ? whole
          : whole.slice(0, whole.length - body.length).replaceAll("\r\n", "\n") + body;
      });
    const streams = fc.array(one, { minLength: 1, maxLength: 4 });
    const cuts = fc.array(fc.nat(600), { maxLength: 12 });
    fc.assert(
      fc.property(streams, cuts, (messages, at) => {
        const stream = messages.join("");
        const seen = feed(
          cutAt(
            stream,
            at.map((cut) => cut % (stream.length + 1)),
          ),
        );
        expect(seen).toEqual({ messages, faults: [], pings: 0 });
      }),
    );
  });

  it("does not copy the bytes of a chunk that is one message", () => {
    const chunk = Uint8Array.from(Buffer.from(first, "latin1"));
    const seen: Uint8Array[] = [];
    const sink = {
      message: (bytes: Uint8Array) => seen.push(bytes),
      ping() {},
      keepAlive() {},
      malformed() {},
    };
    new StreamFramer(sink, MAX).push(chunk);
    expect(seen[0]?.buffer).toBe(chunk.buffer);
  });

  it("does not write into a message that it has given away", () => {
    const { framer: cutter } = framer();
    const kept: Uint8Array[] = [];
    const keeping = new StreamFramer(
      { message: (bytes) => kept.push(bytes), ping() {}, keepAlive() {}, malformed() {} },
      MAX,
    );
    const half = Buffer.from(first, "latin1");
    keeping.push(half.subarray(0, 30));
    keeping.push(Buffer.concat([half.subarray(30), Buffer.from(second.slice(0, 20), "latin1")]));
    keeping.push(Buffer.from(second.slice(20) + second, "latin1"));
    expect(kept.map(latin1)).toEqual([first, second, second]);
    expect(cutter.partial).toBe(false);
  });

  it("knows whether it stands in the middle of a message", () => {
    const { framer: cutter } = framer();
    const states = ["\r\n", "M", first.slice(1, -1), first.slice(-1), "\r\n\r\n"].map((piece) => {
      cutter.push(Buffer.from(piece, "latin1"));
      return cutter.partial;
    });
    expect(states).toEqual([false, true, true, false, false]);
  });

  it("looks at nothing more once it was stopped, also from within a message", () => {
    const messages: string[] = [];
    const cutter: StreamFramer = new StreamFramer(
      {
        message(bytes) {
          messages.push(latin1(bytes));
          cutter.stop();
        },
        ping() {},
        keepAlive() {},
        malformed() {},
      },
      MAX,
    );
    cutter.push(Buffer.from(first + second, "latin1"));
    cutter.push(Buffer.from(second, "latin1"));
    expect(messages).toEqual([first]);
  });
});

describe("stream framer, keep-alives, RFC 5626 §4.4.1", () => {
  it.each([
    ["\r\n\r\n", 1],
    ["\r\n", 0],
    ["\r\n\r\n\r\n\r\n", 2],
    ["\r\n\r\n\r\n", 1],
    ["\n\n\n\n", 0],
    ["\r\r\n\r\n", 1],
  ])("counts the pings in %j: %i", (text, pings) => {
    expect(feed([text]).pings).toBe(pings);
    expect(feed([...text]).pings).toBe(pings);
  });

  it("sees no ping in the line ends around a message", () => {
    const text = message("Content-Length: 0");
    expect(feed([`\r\n${text}\r\n${text}`])).toMatchObject({ messages: [text, text], pings: 0 });
  });
});

describe("stream framer, hostile streams", () => {
  it.each([
    ["none at all", "Subject: x", 400, "Content-Length is missing"],
    ["no digits", "Content-Length: x", 400, "Content-Length is not a number"],
    ["nothing", "Content-Length: ", 400, "Content-Length is not a number"],
    ["a sign", "Content-Length: +5", 400, "Content-Length is not a number"],
    ["a negative number", "Content-Length: -1", 400, "Content-Length is not a number"],
    ["a fraction", "Content-Length: 5.0", 400, "Content-Length is not a number"],
    ["hexadecimal", "Content-Length: 0x5", 400, "Content-Length is not a number"],
    ["an exponent", "Content-Length: 1e1", 400, "Content-Length is not a number"],
    ["a list", "Content-Length: 5, 5", 400, "Content-Length is not a number"],
    ["a parameter", "Content-Length: 5;x", 400, "Content-Length is not a number"],
    ["two numbers", "Content-Length: 5 5", 400, "Content-Length is not a number"],
    ["digits that fold apart", "Content-Length: 5\r\n 5", 400, "Content-Length is not a number"],
    [
      "a space that SIP doesn't know",
      "Content-Length:\xa05",
      400,
      "Content-Length is not a number",
    ],
    ["digits that aren't ASCII", "Content-Length: \xb2", 400, "Content-Length is not a number"],
    ["two values", "l: 0\r\nContent-Length: 5", 400, "Two different Content-Length values"],
    ["2^32 + 32", "Content-Length: 4294967328", 413, "Message too long"],
    ["2^64", "Content-Length: 18446744073709551616", 413, "Message too long"],
    ["400 digits", `Content-Length: ${"9".repeat(400)}`, 413, "Message too long"],
    ["a byte over the bound", "Content-Length: 65536", 413, "Message too long"],
  ])("refuses a Content-Length of %s", (_what, line, status, fault) => {
    const text = message(line, "body!");
    const expected = [{ status, message: fault, head: expect.any(String) }];
    expect(feed([text])).toEqual({ messages: [], faults: expected, pings: 0 });
    expect(feed([...text])).toEqual({ messages: [], faults: expected, pings: 0 });
  });

  it("takes the same Content-Length twice", () => {
    const text = message("l: 5\r\nContent-Length: 05", "body!");
    expect(feed([text]).messages).toEqual([text]);
  });

  it.each([
    ["a header that only begins like it", "Content-Length-Of-Day: 5\r\nl: 0"],
    ["a header value", "Subject: Content-Length: 5\r\nl: 0"],
    ["a folded line", "Subject: x\r\n l: 5\r\nContent-Length: 0"],
    ["another short header", "c: 5\r\nl: 0\r\nLove: 5"],
    ["a header that holds a colon no more", "Content-Length 5\r\nl: 0"],
  ])("is not misled by %s", (_what, lines) => {
    const text = message(lines);
    expect(feed([text, text]).messages).toEqual([text, text]);
  });

  it("is not misled by a request line that looks like a header", () => {
    const text = "l: 5 sip:bob@example.com SIP/2.0\r\nl: 0\r\n\r\n";
    expect(feed([text]).messages).toEqual([text]);
  });

  it("gives what was read of the message at fault, and nothing of those before it", () => {
    const good = message("l: 0");
    const bad = message("l: -5");
    expect(feed([good + bad])).toMatchObject({ messages: [good], faults: [{ head: bad }] });
  });

  it("takes nothing after a fault for a message", () => {
    const seen = feed([message("l: x"), message("l: 0"), "\r\n\r\n"]);
    expect(seen).toMatchObject({ messages: [], pings: 0 });
    expect(seen.faults).toHaveLength(1);
  });

  it("takes a message of exactly the longest size, and refuses one byte more", () => {
    const body = "b".repeat(100);
    const text = message("l: 100", body);
    expect(feed([text], text.length).messages).toEqual([text]);
    expect(feed([text], text.length - 1).faults).toMatchObject([{ status: 413 }]);
  });

  it.each([
    ["in one line", "a".repeat(2_000)],
    ["in many lines", "c: x\r\n".repeat(400)],
    ["in line ends that make no empty line", "\r".repeat(2_000)],
  ])("refuses a head without end %s", (_what, text) => {
    const stream = `INVITE sip:x SIP/2.0\r\n${text}`;
    const fault = { status: 513, message: "Message head too long", head: expect.any(String) };
    expect(feed([stream], 1_000).faults).toEqual([fault]);
    expect(feed([...stream], 1_000).faults).toEqual([fault]);
  });

  it("refuses a complete head over the bound with 513, its body with 413", () => {
    const head = message(`Subject: ${"x".repeat(2_000)}\r\nl: 0`);
    expect(feed([head], 1_000).faults).toMatchObject([{ status: 513 }]);
  });

  it("survives any bytes in any pieces", () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom(..."\r\n :lLcC-05x\0") }));
    fc.assert(
      fc.property(pieces, (parts) => {
        const cut = feed(parts, 200);
        const whole = feed([parts.join("")], 200);
        const { faults, ...rest } = cut;
        expect(rest).toEqual({ messages: whole.messages, pings: whole.pings });
        expect(faults.map(({ status }) => status)).toEqual(
          whole.faults.map(({ status }) => status),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe("stream framer, frames of another protocol, RFC 7118 §5", () => {
  function frames(...all: readonly string[]): Seen {
    const { framer: cutter, seen } = framer(1_000);
    for (const one of all) cutter.frame(Uint8Array.from(Buffer.from(one, "latin1")));
    return seen;
  }

  it("takes each as one message, with or without Content-Length, whatever its lines end with", () => {
    const bare = message("Subject: x", "body");
    const counted = message("Content-Length:\r\n 4", "body");
    const short = message("l: 4", "body").replaceAll("\r\n", "\n");
    expect(frames(bare, counted, short).messages).toEqual([bare, counted, short]);
  });

  it("takes line ends before a message off, and reads its Content-Length nevertheless", () => {
    const one = message("l: 4", "body");
    expect(frames(`\r\n\r\n${one}`)).toMatchObject({ messages: [one], pings: 0 });
    expect(frames(`\r\n\r\n${one}x`).faults).toMatchObject([
      { status: 400, message: "Body longer than Content-Length" },
    ]);
  });

  it("answers a double CRLF alone", () => {
    expect(frames("", "\r\n", "\r\n\r\n")).toMatchObject({ pings: 1, keepAlives: 2, faults: [] });
  });

  it.each([
    ["", "The frame ends before the message's head"],
    ["l: 4", "Body longer than Content-Length"],
    ["l: 50", "Body shorter than Content-Length"],
    ["l: 4294967328", "Body shorter than Content-Length"],
    ["l: 99999999999999999999", "Body shorter than Content-Length"],
    ["l: 5\r\nContent-Length: 6", "Two different Content-Length values"],
    ["l: 0x5", "Content-Length is not a number"],
    ["l: -1", "Content-Length is not a number"],
  ])("takes nothing more after a frame with %j", (header, fault) => {
    const bad =
      header === "" ? "MESSAGE sip:a SIP/2.0\r\nCall-ID: c\r\n" : message(header, "five.");
    const seen = frames(bad, message("l: 0"));
    expect(seen.messages).toEqual([]);
    expect(seen.faults).toEqual([{ status: 400, message: fault, head: bad }]);
  });

  it("gives of any frame one message, one fault or one sign of life", () => {
    const line = fc.constantFrom(
      "l: 4\r\n",
      "Content-Length:",
      " 4\r\n",
      "\r\n",
      "\n",
      "body",
      "X: y\r\n",
      "\r",
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const seen = frames(lines.join(""));
        const { messages, faults, pings, keepAlives = 0 } = seen;
        expect(messages.length + faults.length + pings + keepAlives).toBe(1);
      }),
    );
  });
});
