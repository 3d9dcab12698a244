import { describe, expect, it } from "vitest";
import { GuardedServer } from "./guarded-server.ts";
import { message, REGISTER } from "./message.ts";

/** That a REGISTER with these lines gets that status, and leaves alice's one binding as it is. */
async function expectRefused(
  lines: Readonly<Record<string, string | readonly string[]>>,
  status: number,
  counted: Readonly<Record<string, number>>,
): Promise<void> {
  const server = await GuardedServer.start();
  expect(await server.register("alice", "<sip:alice@192.0.2.100>")).toBe(200);
  const before = await server.bindings("alice");
  const outcome = await server.sendAs("alice", REGISTER, lines);
  expect(outcome.answers.map((answer) => answer.status)).toEqual([status]);
  expect(outcome.forwarded).toEqual([]);
  expect(outcome.counted).toEqual(counted);
  expect(await server.bindings("alice")).toEqual(before);
  await server.end();
}

describe("AST-2016-004: a long Contact", () => {
  it.each([
    ["user", `<sip:${"a".repeat(2_000)}@192.0.2.100>`],
    ["host", `<sip:alice@${"a.".repeat(1_000)}example>`],
    ["parameter", `<sip:alice@192.0.2.100>;x=${"a".repeat(2_000)}`],
    ["list of parameters", `<sip:alice@192.0.2.100${";a=b".repeat(500)}>`],
    ["tel URI", `<tel:+1${";a=b".repeat(500)}>`],
  ])("its %s: 403, nothing bound", async (_what, contact) => {
    await expectRefused({ Contact: contact }, 403, { registrationsOverLimit: 1 });
  });

  it("longer than a line may be: 400, and it isn't looked at", async () => {
    const contact = `<sip:${"a".repeat(9_000)}@192.0.2.100>`;
    await expectRefused({ Contact: contact }, 400, { malformedMessages: 1 });
  });
});

describe("CVE-2017-14098: a crafted tel URI", () => {
  /** What a Contact gets, a call to it, To or From, and a request-URI. */
  const uris = [
    ["tel:;phone-context=", 400, 404, 403],
    ["tel:+1;;;=", 200, 480, 403],
    ["tel:+1;phone-context", 200, 480, 403],
    ["tel:+", 200, 480, 403],
    ["TEL:;", 400, 404, 403],
    ["tel:", 400, 404, 400],
  ] as const;

  it.each(uris)(
    "%s in a Contact: %i, and a call is answered %i, not dialled",
    async (uri, status, called) => {
      const server = await GuardedServer.start();
      const { answers } = await server.sendAs("alice", REGISTER, { Contact: `<${uri}>` });
      expect(answers.map((answer) => answer.status)).toEqual([status]);
      const call = await server.sendAs("bob", "INVITE sip:alice@example.com");
      expect(call.forwarded).toEqual([]);
      expect(call.answers.at(-1)?.status).toBe(called);
      await server.end();
    },
  );

  it.each(uris)(
    "%s in To registers nobody, in From calls nobody",
    async (uri, _status, _called, named) => {
      const server = await GuardedServer.start();
      const Contact = "<sip:alice@192.0.2.100>";
      const asTo = await server.sendAs("alice", REGISTER, { Contact, To: `<${uri}>` });
      expect(asTo.answers.map(({ status }) => status)).toEqual([named]);
      expect(server.store.users).toBe(0);
      await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
      const From = `<${uri}>;tag=1`;
      const asFrom = await server.sendAs("alice", "INVITE sip:bob@example.com", { From });
      expect(asFrom.answers.at(-1)?.status).toBe(named);
      expect(asFrom.forwarded).toEqual([]);
      await server.end();
    },
  );

  it.each(uris)("%s as a request-URI goes nowhere", async (uri) => {
    const server = await GuardedServer.start();
    const start = `INVITE ${uri}`;
    // Nothing after the colon is no URI at all.
    const sent = uri === "tel:" ? server.send(message(start)) : server.sendAs("alice", start);
    const { answers, forwarded } = await sent;
    expect(answers.at(-1)?.status).toBe(uri === "tel:" ? 400 : 416);
    expect(forwarded).toEqual([]);
    await server.end();
  });
});

describe("CVE-2011-2665: a Contact with a bracket missing", () => {
  it.each([
    "sip:a@h>",
    "<",
    ">",
    "<>",
    "<sip:a@h",
    '"a <sip:a@h>',
    "a b c sip:a@h>",
    "<<sip:a@h>>",
    "sip:b@@:::",
    "<sip:b@@:::>",
    "<sip:a@[::1:5060>",
    "<sip:a@h:99999>",
    "<sip:a@h:-1>",
    "<sip:@h>",
    "<sip:>",
    "<sip:a@h>;q=2",
    "<sip:a@h>;q=0.0001",
    "<sip:a@h>;q=-0",
  ])("%s: 400, nothing changed", async (contact) => {
    await expectRefused({ Contact: contact }, 400, { malformedHeaders: 1 });
  });
});

describe("Kamailio bf135cc: Contact * without what goes with it", () => {
  it.each<[string, Record<string, string | readonly string[]>]>([
    ["without Expires", { Contact: "*" }],
    ["without Expires, from a device with flows", { Contact: "*", Supported: "outbound, path" }],
    ["with Expires 1", { Contact: "*", Expires: "1" }],
    ["with an Expires that is no number", { Contact: "*", Expires: "-0" }],
    ["with an empty Expires", { Contact: "*", Expires: "" }],
    ["beside another in its header", { Contact: "*, <sip:a@b>", Expires: "0" }],
    ["beside another in a second header", { Contact: ["<sip:a@b>", "*"], Expires: "0" }],
    ["twice", { Contact: ["*", "*"], Expires: "0" }],
    ["with parameters", { Contact: "*;expires=0" }],
    ["in brackets", { Contact: "<*>", Expires: "0" }],
  ])("%s: 400, nothing is removed", async (_what, lines) => {
    await expectRefused(lines, 400, { malformedHeaders: 1 });
  });
});

describe("CVE-2026-106803: an alias with a port that is too long", () => {
  it.each(["192.0.2.9~99999999~1", "192.0.2.9~-1~1", `192.0.2.9~${"5".repeat(600)}~1`, "~~", ""])(
    "alias=%s is a parameter as any other: nobody is called there",
    async (alias) => {
      const server = await GuardedServer.start();
      const contact = `<sip:alice@192.0.2.100;alias=${alias}>`;
      expect(await server.register("alice", contact)).toBe(200);
      const { forwarded } = await server.sendAs("bob", "INVITE sip:alice@example.com");
      expect(forwarded.map(({ to }) => to)).toEqual(["192.0.2.100:5060"]);
      await server.end();
    },
  );
});

describe("CVE-2017-17850, AST-2017-014: no Contact", () => {
  it.each(["INVITE", "SUBSCRIBE"])(
    "%s without one goes on as it is: no dialog ends here",
    async (method) => {
      const server = await GuardedServer.start();
      await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
      const { forwarded, answers } = await server.sendAs("alice", `${method} sip:bob@example.com`);
      expect(answers).toEqual([]);
      expect(forwarded.map(({ to }) => to)).toEqual(["192.0.2.101:5060"]);
      expect(forwarded[0]?.packet.headers.has("contact")).toBe(false);
      await server.end();
    },
  );

  it.each(["INVITE", "SUBSCRIBE"])("%s of a stranger without one is challenged", async (method) => {
    const server = await GuardedServer.start();
    const { answers } = await server.send(
      `${method} sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKnc\r\n` +
        `From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: none\r\nCSeq: 1 ${method}\r\n` +
        "User-Agent: whoever\r\n\r\n",
    );
    expect(answers.map(({ status }) => status)).toEqual([407]);
    await server.end();
  });
});
