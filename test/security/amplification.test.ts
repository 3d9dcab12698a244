import { describe, expect, it } from "vitest";
import { GuardedServer } from "./guarded-server.ts";
import { message, REGISTER } from "./message.ts";

const METHODS = [
  "REGISTER",
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "OPTIONS",
  "MESSAGE",
  "SUBSCRIBE",
  "NOTIFY",
  "PUBLISH",
  "REFER",
  "INFO",
  "UPDATE",
  "PRACK",
  "FOO",
] as const;
const URIS = ["sip:example.com", "sip:bob@example.com", "sip:bob@203.0.113.9", "tel:+1"] as const;

/** Where datagrams are said to come from. */
const VICTIM = "203.0.113.166";

/** As short as a request can be: short names, short values, no header that could be left out. */
function shortest(method: string, uri: string): string {
  const lines = [
    `${method} ${uri} SIP/2.0`,
    "v:SIP/2.0/UDP a;rport;branch=z9hG4bK1",
    "f:<sip:a>;tag=1",
    "t:<sip:a>",
    "i:1",
    `CSeq:1 ${method}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** That the victim gets at most one datagram, of at most twice the bytes, also when time passes; gives its status. */
async function reflected(server: GuardedServer, wire: string): Promise<number | undefined> {
  const at = server.net.log.length;
  const { answers, forwarded } = await server.send(wire, VICTIM);
  expect(forwarded).toEqual([]);
  await server.net.run("1m");
  const got = server.net.log.slice(at).filter(({ from }) => from.startsWith("192.0.2.1:"));
  expect(got.length).toBeLessThanOrEqual(1);
  for (const datagram of got) {
    expect(datagram.to).toBe(`${VICTIM}:5060`);
    expect(datagram.wire.length / wire.length).toBeLessThanOrEqual(2);
  }
  return answers[0]?.status;
}

describe("amplification, Kamailio cd7589a: what a datagram of a stranger makes the server send", () => {
  it.each(METHODS)(
    "%s as clients send it: one answer, of at most twice its length",
    async (method) => {
      const server = await GuardedServer.start();
      await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
      for (const uri of URIS) {
        for (const lines of [
          {},
          { Route: "<sip:192.0.2.1;lr>" },
          { "Record-Route": "<sip:203.0.113.1;lr>" },
          { "Max-Forwards": "0" },
          { Require: "x" },
          { To: "<sip:bob@example.com>;tag=2" },
          { Via: `SIP/2.0/UDP ${VICTIM}:5060;rport;branch=z9hG4bK${method}` },
        ]) {
          const status = await reflected(server, message(`${method} ${uri}`, lines));
          if (method === "ACK") expect(status).toBeUndefined();
          else expect(status).toBeGreaterThanOrEqual(200);
        }
      }
      await server.end();
    },
  );

  it.each(METHODS)(
    "%s as short as can be: no answer, or one of at most twice its length",
    async (method) => {
      const server = await GuardedServer.start();
      await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
      for (const uri of URIS) await reflected(server, shortest(method, uri));
      await server.end();
    },
  );

  const OPTIONS = shortest("OPTIONS", "sip:example.com");

  it.each([
    ["another version", OPTIONS.replace("SIP/2.0\r", "SIP/3.0\r")],
    ["no From", OPTIONS.replace(/f:.*\r\n/, "")],
    ["two From", OPTIONS.replace(/(f:.*\r\n)/, "$1$1")],
    ["no To", OPTIONS.replace(/t:.*\r\n/, "")],
    ["a malformed CSeq", OPTIONS.replace("CSeq:1", "CSeq:x")],
    ["headers in the URI", OPTIONS.replace("example.com", "a?b")],
    ["a forged Route", OPTIONS.replace("i:1", `i:1\r\nRoute:<sip:${"a".repeat(30)}@192.0.2.1;lr>`)],
    ["nothing but a Via", "A b SIP/2.0\r\nv:SIP/2.0/UDP a\r\n\r\n"],
    ["nothing but a Via and no line end", "A b SIP/2.0\nv:SIP/2.0/UDP a"],
    ["nothing but a start line", "A b SIP/2.0\r\n\r\n"],
    ["a response", "SIP/2.0 200 OK\r\nv:SIP/2.0/UDP a\r\n\r\n"],
    ["line ends", "\r\n\r\n"],
    ["nothing", ""],
    ["no SIP", "\x00\x01\x02\x03"],
  ])("a malformed one: %s", async (_what, wire) => {
    const server = await GuardedServer.start();
    await reflected(server, wire);
    await server.end();
  });

  it("an INVITE leaves no state, and its 407 isn't sent again though no ACK comes", async () => {
    const server = await GuardedServer.start();
    expect(await reflected(server, message("INVITE sip:bob@example.com"))).toBe(407);
    await server.send(message("INVITE sip:bob@example.com"), VICTIM);
    expect(server.alive).toEqual([]);
    await server.end();
  });

  it("a wrong digest, a used nonce and a forged one cost no more", async () => {
    const server = await GuardedServer.start();
    const [name = "", value = ""] = (await server.proof("alice", REGISTER)).split(/: (.*)/, 2);
    for (const line of [
      value.replace(/response="../, 'response="xx'),
      value.replace(/nonce="../, 'nonce="xx'),
    ]) {
      expect(await reflected(server, message(REGISTER, { [name]: line }))).toBe(401);
    }
    await server.end();
  });
});
