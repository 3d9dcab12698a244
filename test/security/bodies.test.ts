import { describe, expect, it } from "vitest";
import { GuardedServer } from "./guarded-server.ts";
import { message, REGISTER } from "./message.ts";

const SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.100\r\ns=-\r\nc=IN IP4 192.0.2.100\r\nt=0 0\r\n";

const BODIES: readonly (readonly [advisory: string, type: string, body: string])[] = [
  [
    "CVE-2017-9359: multipart without an end",
    "multipart/mixed;boundary=x",
    "--x\r\n\r\n--x\r\n--x",
  ],
  ["CVE-2017-9359: multipart without a boundary", "multipart/mixed", "--\r\n--\r\n----"],
  [
    "CVE-2017-9359: multipart in multipart",
    "multipart/mixed;boundary=x",
    "--x\r\nContent-Type: multipart/mixed;boundary=x\r\n\r\n".repeat(500),
  ],
  [
    "CVE-2018-1000098: an fmt over any table",
    "application/sdp",
    `${SDP}m=audio 9 RTP/AVP ${"9".repeat(400)}\r\n`,
  ],
  [
    "CVE-2018-1000099: a NUL in fmtp",
    "application/sdp",
    `${SDP}m=audio 9 RTP/AVP 97\r\na=fmtp:97 \0\r\n`,
  ],
  ["CVE-2026-46334: b= without a colon", "application/sdp", `${SDP}b=AS\r\nb=\r\n`],
  ["CVE-2023-27600: SDP without its last line end", "application/sdp", `${SDP}m=audio 9 RTP/AVP 0`],
  [
    "GHSA-8jw3-ccr9-xrmf: a long Message-Account",
    "application/simple-message-summary",
    `Messages-Waiting: yes\r\nMessage-Account: sip:${"a".repeat(2_000)}\r\n`,
  ],
  [
    "bytes that are no text",
    "application/octet-stream",
    Array.from({ length: 1_024 }, (_, i) => String.fromCharCode(i % 256)).join(""),
  ],
  ["another message", "message/sip", message(REGISTER, { Contact: "*", Expires: "0" })],
];

describe("bodies, which nobody here parses", () => {
  it.each(BODIES)("%s: a stranger's is dropped with his request", async (_what, type, body) => {
    const server = await GuardedServer.start();
    const lines = { "Content-Type": type };
    for (const [start, status] of [
      [REGISTER, 401],
      ["INVITE sip:bob@example.com", 407],
      ["NOTIFY sip:bob@example.com", 407],
      ["MESSAGE sip:bob@example.com", 407],
    ] as const) {
      const { answers, forwarded } = await server.send(message(start, lines, body));
      expect(answers.map((answer) => answer.status)).toEqual([status]);
      expect(Buffer.from(answers[0]?.body ?? "x")).toHaveLength(0);
      expect(forwarded).toEqual([]);
    }
    await server.end();
  });

  it.each(BODIES)(
    "%s: a user's goes on byte for byte, and registers as if it weren't there",
    async (_what, type, body) => {
      const server = await GuardedServer.start();
      await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
      const lines = { "Content-Type": type };
      for (const method of ["INVITE", "NOTIFY", "MESSAGE"]) {
        const { forwarded } = await server.sendAs("alice", `${method} sip:bob@example.com`, lines, {
          body,
        });
        expect(forwarded).toHaveLength(1);
        const { wire = "" } = forwarded[0] ?? {};
        expect(wire.slice(wire.indexOf("\r\n\r\n") + 4)).toBe(body);
      }
      const Contact = "<sip:alice@192.0.2.100>";
      const { answers } = await server.sendAs("alice", REGISTER, { ...lines, Contact }, { body });
      expect(answers.map(({ status }) => status)).toEqual([200]);
      expect(await server.bindings("alice")).toMatchObject([{ uri: "sip:alice@192.0.2.100" }]);
      await server.end();
    },
  );
});
