import { describe, expect, it } from "vitest";
import { GuardedServer } from "./guarded-server.ts";
import { message, REGISTER } from "./message.ts";

const CONTACT = "<sip:alice@192.0.2.100>";

describe("AST-2017-009, Kamailio 24030e5: numbers that overflow, in every header", () => {
  /** Seconds that are granted for what is asked for. RFC 3261 §10.2: what is malformed counts as an hour. */
  const times: readonly (readonly [text: string, seconds: number])[] = [
    ["3600", 3600],
    ["0003600", 3600],
    ["4294967295", 3600],
    ["4294967296", 3600],
    ["4294967306", 3600],
    ["9007199254740993", 3600],
    ["18446744073709551626", 3600],
    ["9".repeat(400), 3600],
    ["1e1", 3600],
    ["0x14", 3600],
    ["020", 20],
    ["-20", 3600],
    ["-0", 3600],
    ["+20", 3600],
    ["20.5", 3600],
    ["20s", 3600],
    ["20 20", 3600],
    ["NaN", 3600],
    ["Infinity", 3600],
    ["null", 3600],
    ["[object Object]", 3600],
    ["\xd9\xa3\xd9\xa3", 3600],
    ["\xef\xbc\x92\xef\xbc\x90", 3600],
    ["__proto__", 3600],
  ];

  it.each(times)("Expires: %s", async (text, seconds) => {
    const server = await GuardedServer.start();
    const { answers } = await server.sendAs("alice", REGISTER, { Contact: CONTACT, Expires: text });
    expect(answers.map((answer) => answer.headers.get("contact"))).toEqual([
      `${CONTACT};expires=${seconds}`,
    ]);
    await server.end();
  });

  it.each(times)("expires=%s", async (text, seconds) => {
    const server = await GuardedServer.start();
    const isToken = /^[\w.+-]+$/.test(text);
    const Contact = `${CONTACT};expires=${isToken ? text : `"${text}"`}`;
    const { answers } = await server.sendAs("alice", REGISTER, { Contact, Expires: "60" });
    expect(answers.map((answer) => answer.headers.get("contact"))).toEqual([
      `${CONTACT};expires=${seconds}`,
    ]);
    await server.end();
  });

  const TOO_LARGE = [
    "2147483648",
    "4294967297",
    "9007199254740993",
    "18446744073709551617",
    "1".repeat(400),
    "-1",
    "+1",
    "0x1",
    "1e0",
    "1.0",
    "NaN",
    "\xd9\xa1",
  ];

  it.each(TOO_LARGE)("CSeq: %s is none", async (number) => {
    const server = await GuardedServer.start();
    const { answers, seen, counted } = await server.send(
      message(REGISTER, { CSeq: `${number} REGISTER`, Contact: CONTACT }),
    );
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(seen).toEqual([]);
    expect(counted).toEqual({ malformedMessages: 1 });
    await server.end();
  });

  it.each(["256", ...TOO_LARGE])(
    "Max-Forwards: %s is none: nothing is forwarded",
    async (number) => {
      const server = await GuardedServer.start();
      await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
      const lines = { "Max-Forwards": number };
      const { answers, forwarded } = await server.sendAs(
        "alice",
        "INVITE sip:bob@example.com",
        lines,
      );
      expect(answers.at(-1)?.status).toBe(400);
      expect(forwarded).toEqual([]);
      await server.end();
    },
  );

  it.each(["65536", "4294972356", "-5060", "0x13c4", "5060.0", "5e3", "", "NaN", "9".repeat(300)])(
    "port %s: 400 in a Contact and in the topmost Via",
    async (port) => {
      const server = await GuardedServer.start();
      const Contact = `<sip:alice@192.0.2.100:${port}>`;
      const refused = await server.sendAs("alice", REGISTER, { Contact });
      expect(refused.answers.map(({ status }) => status)).toEqual([400]);
      expect(server.store.users).toBe(0);
      const Via = `SIP/2.0/UDP 192.0.2.100:${port};branch=z9hG4bKport`;
      const { answers, seen } = await server.send(message(REGISTER, { Via }));
      expect(answers.map(({ status }) => status)).toEqual([400]);
      expect(seen).toEqual([]);
      await server.end();
    },
  );

  it.each(["1.001", "1.0000", "-1", "+1", "1e0", "0x1", ".5", "NaN", "", "\xd9\xa1"])(
    "q=%s: 400",
    async (q) => {
      const server = await GuardedServer.start();
      const { answers } = await server.sendAs("alice", REGISTER, { Contact: `${CONTACT};q=${q}` });
      expect(answers.map(({ status }) => status)).toEqual([400]);
      expect(server.store.users).toBe(0);
      await server.end();
    },
  );

  it.each(["0", "-1", "2147483648", "4294967297", "9007199254740993", "1e0", "0x1", "NaN", "1.0"])(
    "reg-id=%s: 400",
    async (regId) => {
      const server = await GuardedServer.start();
      const { answers } = await server.sendAs("alice", REGISTER, {
        Supported: "outbound, path",
        Contact: `${CONTACT};+sip.instance="<urn:uuid:1>";reg-id=${regId}`,
      });
      expect(answers.map(({ status }) => status)).toEqual([400]);
      expect(server.store.users).toBe(0);
      await server.end();
    },
  );

  it.each(TOO_LARGE)("Max-Breadth: %s: 400, nothing is forwarded", async (number) => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const lines = { "Max-Breadth": number };
    const { answers, forwarded } = await server.sendAs(
      "alice",
      "INVITE sip:bob@example.com",
      lines,
    );
    expect(answers.at(-1)?.status).toBe(400);
    expect(forwarded).toEqual([]);
    await server.end();
  });
});

describe("CVE-2017-9372: a method of 800 bytes", () => {
  it.each([65, 800, 8_000])("or %i: 400, and it isn't looked at", async (length) => {
    const method = "M".repeat(length);
    const server = await GuardedServer.start();
    const { answers, seen, counted } = await server.send(message(`${method} sip:bob@example.com`));
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(seen).toEqual([]);
    expect(counted).toEqual({ malformedMessages: 1 });
    await server.end();
  });

  it("in CSeq alone: 400", async () => {
    const server = await GuardedServer.start();
    const CSeq = `1 ${"M".repeat(800)}`;
    const { answers, seen } = await server.send(message("MESSAGE sip:bob@example.com", { CSeq }));
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(seen).toEqual([]);
    await server.end();
  });
});
