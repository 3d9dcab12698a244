import { describe, expect, it } from "vitest";
import { GuardedServer, PASSWORD, PASSWORDS } from "./guarded-server.ts";
import { message, REGISTER, userPart } from "./message.ts";

/** Names that are code to somebody: LDAP, SQL, a shell, a path, a template, Redis, a logger, JavaScript. */
const NAMES = [
  "*)(uid=*",
  "*)(|(uid=*))",
  "' OR 1=1--",
  "'; DROP TABLE subscriber;--",
  "$(reboot)",
  "`reboot`",
  "../../x",
  "..\\..\\x",
  "/etc/passwd",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a name
  "${jndi:ldap://x}",
  "{{7*7}}",
  "%s%n%x",
  "{alice}",
  "alice:*",
  "alice@example.com",
  "a:b",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "valueOf",
] as const;

describe("Asterisk 2026-06 (LDAP filter), CVE-2026-45537, CVE-2026-45100: names that are code elsewhere", () => {
  it.each(NAMES)("%s is nobody, with everybody's password", async (name) => {
    const server = await GuardedServer.start();
    expect(await server.register("alice", "<sip:alice@192.0.2.100>")).toBe(200);
    const proof = await server.proof("alice", REGISTER);
    const claim = proof.replace('"alice"', JSON.stringify(name));
    const To = `<sip:${userPart(name)}@example.com>`;
    const lines = { To, From: `${To};tag=1`, Contact: "*", Expires: "0" };
    const [header = "", value] = claim.split(/: (.*)/, 2);
    const { answers, counted } = await server.send(
      message(REGISTER, { ...lines, [header]: value }),
    );
    expect(answers.map(({ status }) => status)).toEqual([401]);
    expect(counted).toEqual({ wrongCredentials: 1 });
    expect(await server.bindings("alice")).toHaveLength(1);
    expect(server.store.users).toBe(1);
    await server.end();
  });

  it.each(NAMES)(
    "%s, where that is a user's name, registers and is called as himself alone",
    async (name) => {
      const server = await GuardedServer.start({
        auth: { credentials: Object.fromEntries([...Object.entries(PASSWORDS), [name, PASSWORD]]) },
      });
      await server.register("alice", "<sip:alice@192.0.2.100>");
      const user = userPart(name);
      const To = `<sip:${user}@example.com>`;
      // The digest takes the name as it is, the URI in escapes.
      const { answers } = await server.sendAs(name, REGISTER, {
        ...{ From: `${To};tag=1`, To },
        Contact: `<sip:${user}@192.0.2.102>`,
      });
      expect(answers.map(({ status }) => status)).toEqual([200]);
      expect(server.store.users).toBe(2);
      expect(await server.bindings("alice")).toHaveLength(1);
      const call = await server.sendAs("alice", `INVITE sip:${user}@example.com`, { To });
      expect(call.forwarded.map(({ to }) => to)).toEqual(["192.0.2.102:5060"]);
      await server.end();
    },
  );

  it.each(NAMES)("%s as domain, header, parameter and token is nothing of ours", async (name) => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const isToken = /^[\w.%-]+$/.test(name);
    const lines = {
      ...(isToken ? { [name]: name } : {}),
      Subject: name,
      "User-Agent": name,
      Supported: isToken ? name : "x",
      Contact: `"${name.replaceAll("\\", "\\\\")}" <sip:alice@192.0.2.100>;x="${name.replaceAll("\\", "\\\\")}"`,
    };
    const { answers } = await server.sendAs("alice", REGISTER, lines);
    expect(answers.map(({ status }) => status)).toEqual([200]);
    const domain = isToken ? name : userPart(name);
    const foreign = await server.send(message(`REGISTER sip:${domain}`, lines));
    expect([400, 407]).toContain(foreign.answers[0]?.status);
    expect(foreign.forwarded).toEqual([]);
    expect(server.store.users).toBe(2);
    await server.end();
  });
});

describe("GHSA-2grh-7mhv-fcfw: control bytes in a display name", () => {
  it.each([
    ["an ANSI escape", '"\x1b[2J\x1b]0;owned\x07"', 200],
    ["a NUL in quotes", '"a\\\0b"', 200],
    ["a backspace", '"root\x08\x08\x08\x08alice"', 200],
    ["C1 controls", '"\x9b2J"', 200],
    ["a bare escape", "\x1b[2J", 400],
    ["a CR", '"a\rX: y"', 400],
  ])(
    "%s gets into no error and no answer of ours but the copied From",
    async (_what, name, status) => {
      const server = await GuardedServer.start();
      const { answers } = await server.sendAs("alice", REGISTER, {
        Contact: "<sip:alice@192.0.2.100>",
        From: `${name} <sip:alice@example.com>;tag=1`,
      });
      expect(answers.map((answer) => answer.status)).toEqual([status]);
      const others = (answers[0]?.toWire() ?? "").replace(/^From:.*\r$/m, "");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(others).not.toMatch(/[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
      await server.end();
    },
  );
});
