import { describe, expect, it } from "vitest";
import { GuardedServer } from "./guarded-server.ts";
import { message } from "./message.ts";

const METHODS = [
  "REGISTER",
  "INVITE",
  "OPTIONS",
  "BYE",
  "MESSAGE",
  "SUBSCRIBE",
  "NOTIFY",
  "PUBLISH",
  "REFER",
  "INFO",
  "UPDATE",
  "PRACK",
  "message",
  "FOO",
  "__proto__",
  "constructor",
  "toString",
] as const;

/** Where a stranger's request may want to go. */
const PLACES = [
  ["the server", "sip:example.com", 401],
  ["a user", "sip:bob@example.com", 407],
  ["a user, by our address", "sip:bob@192.0.2.1", 407],
  ["a user, by a sips URI", "sips:bob@example.com", 407],
  ["elsewhere", "sip:bob@203.0.113.9", 407],
  ["a number", "tel:+15550100", 407],
] as const;

describe("CVE-2021-37624, CVE-2021-41157: methods that nobody authenticated", () => {
  it.each(METHODS)(
    "%s of a stranger is challenged wherever it goes, and reaches nobody",
    async (method) => {
      const server = await GuardedServer.start({ auth: { allowPings: false } });
      await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
      for (const [what, uri, status] of PLACES) {
        const isOurs = method === "REGISTER" && /example\.com|192\.0\.2\.1$/.test(uri);
        for (const To of ["<sip:bob@example.com>", "<sip:bob@example.com>;tag=2"]) {
          const wire = message(`${method} ${uri}`, {
            To,
            Event: "presence",
            "Refer-To": "<sip:a@b>",
          });
          const { answers, forwarded } = await server.send(wire);
          expect([what, ...answers.map((answer) => answer.status)]).toEqual([
            what,
            isOurs ? 401 : status,
          ]);
          expect(forwarded).toEqual([]);
        }
      }
      expect(
        server.alive.filter(([name]) => name !== "nonInviteServers" && name !== "transactionBytes"),
      ).toEqual([]);
      await server.end();
    },
  );

  it("a ping of the server is all that a stranger may send where it is allowed", async () => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const statuses: (number | undefined)[] = [];
    for (const [, uri] of PLACES) {
      const { answers, forwarded } = await server.send(message(`OPTIONS ${uri}`));
      statuses.push(answers[0]?.status);
      expect(forwarded).toEqual([]);
    }
    expect(statuses).toEqual([200, 407, 407, 407, 407, 407]);
    await server.end();
  });

  it("ACK and CANCEL of a stranger, which can't be challenged, go nowhere", async () => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    for (const [, uri] of PLACES) {
      const ack = await server.send(message(`ACK ${uri}`, { To: "<sip:bob@example.com>;tag=2" }));
      expect([ack.answers, ack.forwarded]).toEqual([[], []]);
      const cancel = await server.send(message(`CANCEL ${uri}`));
      expect(cancel.answers.map(({ status }) => status)).toEqual([481]);
      expect(cancel.forwarded).toEqual([]);
    }
    await server.end();
  });

  it("a stranger's CANCEL of a call under way is answered, and cancels nothing", async () => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const start = "INVITE sip:bob@example.com";
    const proof = (await server.proof("alice", start)).split(/: (.*)/, 2);
    const lines = { [proof[0] ?? ""]: proof[1], "Call-ID": "ringing", CSeq: "7 INVITE" };
    const Via = "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKringing";
    const { forwarded } = await server.send(message(start, { ...lines, Via }));
    expect(forwarded).toHaveLength(1);
    for (const guess of [Via.replace("ringing", "guessed"), Via.replace("100", "66")]) {
      const cancel = message("CANCEL sip:bob@example.com", {
        "Call-ID": "ringing",
        CSeq: "7 CANCEL",
        Via: guess,
      });
      const outcome = await server.send(cancel, "192.0.2.66");
      expect(outcome.answers.map(({ status }) => status)).toEqual([481]);
      expect(outcome.forwarded.map(({ wire }) => wire.slice(0, 6))).not.toContain("CANCEL");
    }
    await server.end();
  });
});

describe("CVE-2026-116779: a header that chooses code", () => {
  /** Names that mean something to JavaScript, to our handlers, or to other servers. */
  const NAMES = [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "receive",
    "start",
    "system",
  ];

  it.each(NAMES)(
    "%s as a method, a header, a parameter, an event and a content type",
    async (name) => {
      const server = await GuardedServer.start();
      await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
      const lines = {
        [name]: name,
        Event: name,
        "Content-Type": `${name}/${name};${name}=${name}`,
        Contact: `<sip:alice@192.0.2.100;${name}=${name}>;${name}=${name}`,
        Require: undefined,
        "X-FS-API": name,
        Proto: name,
      };
      const body = JSON.stringify({ [name]: { polluted: true }, __proto__: { polluted: true } });
      for (const method of ["MESSAGE", "SUBSCRIBE", "NOTIFY", name]) {
        const start = `${method} sip:bob@example.com;${name}=${name}`;
        const stranger = await server.send(message(start, lines, body));
        expect(stranger.answers.map(({ status }) => status)).toEqual([407]);
        expect(stranger.forwarded).toEqual([]);
        const { forwarded } = await server.sendAs("alice", start, lines, { body });
        expect(forwarded[0]?.to).toBe("192.0.2.101:5060");
        expect(forwarded[0]?.wire.endsWith(`\r\n\r\n${body}`)).toBe(true);
      }
      expect("polluted" in {}).toBe(false);
      await server.end();
    },
  );
});

describe("GHSA-qqxj-v78h-hrf9: a request of nobody is nobody's", () => {
  it("neither From, nor Contact, nor the address and port of a phone that is registered make a stranger her", async () => {
    const server = await GuardedServer.start();
    await server.register("alice", "<sip:alice@192.0.2.100>");
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const lines = {
      Contact: "<sip:alice@192.0.2.100>",
      "P-Asserted-Identity": "<sip:alice@example.com>",
      "P-Preferred-Identity": "<sip:alice@example.com>",
      "Remote-Party-ID": "<sip:alice@example.com>",
    };
    for (const From of [
      "<sip:alice@example.com>;tag=1",
      "<sip:@example.com>;tag=1",
      "<sip:example.com>;tag=1",
      "<sip:*@example.com>;tag=1",
      "<sip:anonymous@anonymous.invalid>;tag=1",
      "<sip:nobody@example.net>;tag=1",
    ]) {
      const { answers, forwarded } = await server.send(
        message("INVITE sip:bob@example.com", { ...lines, From }),
      );
      expect(answers.map(({ status }) => status)).toEqual([407]);
      expect(forwarded).toEqual([]);
    }
    await server.end();
  });

  it("a user's proof makes her no other user", async () => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const before = await server.bindings("bob");
    const Contact = "<sip:alice@192.0.2.100>";
    for (const user of ["bob", "Alice", "alice%00", "%20alice", "alice,bob", "nobody", "*"]) {
      const To = `<sip:${user}@example.com>`;
      const { answers } = await server.sendAs("alice", "REGISTER sip:example.com", { To, Contact });
      expect([user, ...answers.map(({ status }) => status)]).toEqual([user, 403]);
      const call = await server.sendAs("alice", "INVITE sip:bob@example.com", {
        From: `${To};tag=1`,
      });
      expect([user, call.answers.at(-1)?.status]).toEqual([user, 403]);
      expect(call.forwarded).toEqual([]);
    }
    expect(await server.bindings("bob")).toEqual(before);
    expect(server.store.users).toBe(1);
    await server.end();
  });
});
