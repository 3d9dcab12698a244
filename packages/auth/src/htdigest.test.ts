import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Request, type Response, type SipError } from "@sipkit/core";
import { TestServer, VirtualClock } from "@sipkit/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Authorize } from "./authorize.ts";
import { authorize } from "./authorize-request.ts";
import { ha1Of } from "./digest.ts";
import { HtdigestFile, parseHtdigest } from "./htdigest.ts";

const realm = "example.com";
const line = (user: string, password: string, algorithm?: "SHA-256"): string =>
  `${user}:${realm}:${ha1Of(user, realm, password, algorithm)}\n`;

describe("htdigest text", () => {
  it("holds a user a line", () => {
    // printf alice:example.com:secret | md5sum
    expect(parseHtdigest("alice:example.com:b1726872c344b6dc8365b774f8fd6412\n", realm)).toEqual(
      new Map([["alice", { MD5: "b1726872c344b6dc8365b774f8fd6412" }]]),
    );
  });

  it("may have several hashes for a user, comments, empty lines, CR LF and no last line end", () => {
    const text = `# users\r\n\r\n${line("a", "x").toUpperCase().replace("A:EXAMPLE.COM", "a:example.com")}${line("a", "x", "SHA-256")}b:other realm:${"0".repeat(32)}\n${line("zoë", "y").trim()}`;
    expect(parseHtdigest(text, realm)).toEqual(
      new Map([
        ["a", { MD5: ha1Of("a", realm, "x"), "SHA-256": ha1Of("a", realm, "x", "SHA-256") }],
        ["zoë", { MD5: ha1Of("zoë", realm, "y") }],
      ]),
    );
  });

  it("takes the first of two lines for one user, as Apache does", () => {
    expect(parseHtdigest(line("a", "first") + line("a", "second"), realm).get("a")?.MD5).toBe(
      ha1Of("a", realm, "first"),
    );
  });

  it("may have colons in the realm", () => {
    expect([...parseHtdigest(`a:b:c:${"0".repeat(32)}`, "b:c").keys()]).toEqual(["a"]);
  });

  it("may have users with the names of an object's properties", () => {
    const users = parseHtdigest(line("__proto__", "x"), realm);
    expect([...users.keys()]).toEqual(["__proto__"]);
    expect(users.get("constructor")).toBeUndefined();
  });

  it.each([
    "alice",
    "alice:example.com",
    `alice:${"0".repeat(32)}`,
    `:example.com:${"0".repeat(32)}`,
    "alice:example.com:hunter2",
    `alice:example.com:${"0".repeat(31)}`,
    `alice:example.com:${"g".repeat(32)}`,
    `alice:example.com:${"0".repeat(32)} `,
  ])("names a bad line and doesn't show it: %j", (bad) => {
    try {
      parseHtdigest(`${line("a", "x")}\n${bad}\n`, realm);
      expect.unreachable();
    } catch (error) {
      expect((error as SipError).code).toBe("SIP_BAD_HTDIGEST");
      expect(String(error)).toContain("line 3");
      expect(String(error)).not.toContain("alice");
      expect(String(error)).not.toContain("hunter2");
    }
  });
});

describe("htdigest file", () => {
  let folder: string;
  let path: string;
  const clock = new VirtualClock();
  const reported: SipError[] = [];
  const server = { clock, report: (error: SipError) => reported.push(error) };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "htdigest-"));
    path = join(folder, "users");
    reported.length = 0;
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  let written = 0;

  /** Writes the file and makes sure that its time of change differs, however coarse the file system's clock is. */
  const write = (text: string): void => {
    writeFileSync(path, text);
    written += 10;
    utimesSync(path, 1_000_000 + written, 1_000_000 + written);
  };

  const open = (): HtdigestFile => {
    const file = new HtdigestFile(path, realm);
    file.start(server);
    return file;
  };

  it("is read at the start", () => {
    write(line("alice", "secret"));
    const file = open();
    expect(file.ha1("alice", "MD5")).toBe(ha1Of("alice", realm, "secret"));
    expect(file.ha1("alice", "SHA-256")).toBeUndefined();
    expect(file.ha1("nobody", "MD5")).toBeUndefined();
  });

  it("is read again when it changed, within a second", async () => {
    write(line("alice", "secret"));
    const file = open();
    write(line("bob", "secret"));
    expect(file.ha1("bob", "MD5")).toBeUndefined();
    await clock.advance(1000);
    expect(file.ha1("bob", "MD5")).toBe(ha1Of("bob", realm, "secret"));
    expect(file.ha1("alice", "MD5")).toBeUndefined();
  });

  it("is read again when another file took its place", async () => {
    write(line("alice", "secret"));
    const file = open();
    writeFileSync(`${path}.new`, line("alice", "second"));
    renameSync(`${path}.new`, path);
    await clock.advance(1000);
    expect(file.ha1("alice", "MD5")).toBe(ha1Of("alice", realm, "second"));
  });

  it("keeps its users while it is gone, and tells so once", async () => {
    write(line("alice", "secret"));
    const file = open();
    rmSync(path);
    for (let i = 0; i < 3; i++) {
      await clock.advance(1000);
      expect(file.ha1("alice", "MD5")).toBeDefined();
    }
    expect(reported.map(({ code }) => code)).toEqual(["SIP_BAD_HTDIGEST"]);
    write(line("bob", "secret"));
    await clock.advance(1000);
    expect(file.ha1("bob", "MD5")).toBeDefined();
    expect(file.ha1("alice", "MD5")).toBeUndefined();
    expect(reported).toHaveLength(1);
  });

  it("keeps its users when it has a bad line, and tells so once", async () => {
    write(line("alice", "secret"));
    const file = open();
    write(`${line("bob", "secret")}half a li`);
    for (let i = 0; i < 3; i++) {
      await clock.advance(1000);
      expect(file.ha1("alice", "MD5")).toBeDefined();
      expect(file.ha1("bob", "MD5")).toBeUndefined();
    }
    expect(reported).toHaveLength(1);
  });

  it("must be there at the start", async () => {
    expect(open).toThrow(expect.objectContaining({ code: "SIP_BAD_HTDIGEST" }));
    await expect(TestServer.start(new Authorize({ realm, htdigest: path }))).rejects.toMatchObject({
      code: "SIP_BAD_HTDIGEST",
    });
  });

  it("lets its users in, beside those of the credentials", async () => {
    write(line("alice", "secret") + line("bob", "theirs"));
    for (const [options, user, password, status] of [
      [{}, "alice", "secret", 200],
      [{}, "alice", "wrong", 401],
      [{}, "nobody", "secret", 401],
      [{ credentials: { bob: "ours", carol: "ours" } }, "carol", "ours", 200],
      [{ credentials: { bob: "ours", carol: "ours" } }, "bob", "ours", 200],
      [{ credentials: { bob: "ours", carol: "ours" } }, "bob", "theirs", 401],
      [{ credentials: { bob: "ours" } }, "alice", "secret", 200],
      [{ credentials: async () => undefined }, "alice", "secret", 200],
    ] as const) {
      const site = await TestServer.start([
        new Authorize({ realm, htdigest: path, ...options }),
        (packet) => packet.isRequest && packet.createResponse(200),
      ]);
      const request = new Request("REGISTER", "sip:example.com", {
        headers: {
          Via: "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK1",
          From: `<sip:${user}@example.com>;tag=1`,
          To: `<sip:${user}@example.com>`,
          "Call-ID": "c",
          CSeq: "1 REGISTER",
          "Max-Forwards": "70",
        },
      });
      const challenge = (await site.ask(request)).sent[0] as Response;
      expect(authorize(request, challenge, [user, password])).toBe(true);
      request.headers.set("via", "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK2");
      expect(((await site.ask(request)).sent[0] as Response).status).toBe(status);
    }
  });
});
