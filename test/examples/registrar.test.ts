import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { Dispatcher } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { openStore } from "../../examples/registrar/open-store.ts";
import { readOptions } from "../../examples/registrar/options.ts";
import { certificatePath } from "../certificates/certificates.ts";

import { exchange, freePort, registerAs, start, startWith, stop, useExamples } from "./example.ts";

useExamples();

describe("examples/registrar", () => {
  it("prints what it listens on, its demo users and what to type, serves, and ends on SIGTERM", async () => {
    const port = await freePort();
    const listen = ["--listen", `udp:127.0.0.1:${port}`, "--listen", `tcp:127.0.0.1:${port}`];
    const example = start("registrar", ...listen);
    await example.says(/try: sipsak -U.*\n/);
    expect(example.output()).toContain(`listening on udp:127.0.0.1:${port}\n`);
    expect(example.output()).toContain(`listening on tcp:127.0.0.1:${port}\n`);
    expect(example.output()).toContain("registrations are kept in memory");
    expect(example.output()).toContain("demo user sip:alice@example.com");
    expect(await exchange(port, "OPTIONS sip:example.com SIP/2.0")).toBe("SIP/2.0 200 OK");
    const register = "REGISTER sip:example.com SIP/2.0\nContact: <sip:alice@127.0.0.1>";
    expect(await exchange(port, register)).toBe("SIP/2.0 401 Unauthorized");
    expect(await stop(example)).toBe(0);
  });

  it("bans who guesses passwords, and says so", async () => {
    const port = await freePort();
    const listen = ["--listen", `udp:127.0.0.1:${port}`];
    const example = start("registrar", ...listen, "--allow", "192.0.2.0/24");
    await example.says(/try: sipsak -U.*\n/);
    const guesser = new Dispatcher({ legs: ["udp:127.0.0.1:0"] });
    await guesser.listen();
    const to = `sip:127.0.0.1:${port}`;
    for (let guess = 0; guess < 20; guess += 1) {
      expect(await registerAs(guesser, to, `u${guess}`, "guess")).toBe(401);
    }
    await example.says(/sipkit auth failure from=127\.0\.0\.1 user=u19 reason=credentials/);
    await example.says(/^banned 127\.0\.0\.1 for 60 s$/m);
    expect(await exchange(port, "OPTIONS sip:example.com SIP/2.0", 300)).toBe("");
    await guesser.close();
    expect(await stop(example)).toBe(0);
  });

  it.each([
    ["an address that is none", ["--allow", "localhost"], /IP addresses/],
    ["a folder that is none", ["--store", "lmdb:package.json"], /package\.json.* EEXIST/],
    ["a flag that nobody knows", ["--colour"], /--colour/],
  ])("refuses %s in a line and tells how it is used", async (_what, args, line) => {
    const example = start("registrar", ...args);
    await example.says(/Usage:/);
    const [code] = example.child.exitCode === null ? await once(example.child, "exit") : [1];
    expect(code).toBe(1);
    expect(example.output()).toMatch(line);
    expect(example.output()).not.toContain("    at ");
  });

  it.each([
    [
      "demo users beyond loopback",
      ["--listen", "udp:0.0.0.0:0", "--advertise", "sip.example.com"],
      /loopback/,
    ],
    ["a user without a password", ["--user", "alice"], /NAME:PASSWORD/],
    ["a time that is none", ["--min-expires", "soon"], /number of seconds/],
    ["a leg that is none", ["--listen", "upd:127.0.0.1:0"], /udp:/],
    ["a tls leg without a certificate", ["--listen", "tls:127.0.0.1:0"], /openssl req -x509/],
    [
      "a certificate that isn't there",
      ["--listen", "wss:127.0.0.1:0", "--cert", "no-file", "--key", "no-file"],
      /no-file/,
    ],
  ])("refuses %s", (_what, args, line) => {
    expect(() => readOptions(args)).toThrow(line);
  });

  it("refuses a store that is none", () => {
    expect(() => openStore("lmbd:data")).toThrow(/memory, lmdb:DIR or redis/);
  });
});

describe("examples/registrar over TLS", () => {
  it("shows what is in its certificate files, and reads them again on SIGHUP", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sipkit-example-"));
    const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
    const put = async (name: string): Promise<void> => {
      await copyFile(certificatePath(name, "cert"), files.cert);
      await copyFile(certificatePath(name, "key"), files.key);
    };
    await put("example");
    const port = await freePort();
    const paths = ["--cert", files.cert, "--key", files.key];
    const example = start("registrar", "--listen", `tls:127.0.0.1:${port}`, ...paths);
    await example.says(/demo user sip:bob@example\.com.*;transport=tls\n/);
    expect(await shownBy(port)).toBe("server.example.com");

    await put("other");
    example.child.kill("SIGHUP");
    await example.says(/SIGHUP: new certificates\n/);
    expect(await shownBy(port)).toBe("other.example.com");

    await writeFile(files.key, "no key");
    example.child.kill("SIGHUP");
    await example.says(/SIGHUP: the old certificates stay: SipError: .*\n/);
    expect(await shownBy(port)).toBe("other.example.com");
    expect(await stop(example)).toBe(0);
    await rm(folder, { recursive: true });
  });

  /** The common name that a server shows. */
  async function shownBy(port: number): Promise<unknown> {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  }
});

describe("DEBUG=sipkit:*", () => {
  it("prints a line a packet, a verdict and a transaction, and no credentials", async () => {
    const port = await freePort();
    const listen = ["--listen", `udp:127.0.0.1:${port}`, "--listen", `tcp:127.0.0.1:${port}`];
    const server = startWith({ env: { DEBUG: "sipkit:*" } }, "registrar", ...listen);
    await server.says(/try: sipsak -U.*\n/);
    const client = start("register-client", "--server", `sip:127.0.0.1:${port};transport=tcp`);
    await client.says(/is registered for 60 s/);
    await exchange(port, "nonsense SIP/2.0");
    await server.says(/sipkit:malformed .*\n/);
    const out = server.output();
    expect(out).toMatch(/sipkit:connection +tcp 127\.0\.0\.1:[0-9]+ +accepted #1\n/);
    expect(out).toMatch(/sipkit:packet +<- tcp [0-9.:]+ +REGISTER sip:example\.com +1 REGISTER /);
    expect(out).toMatch(/sipkit:chain +Authorize +401 Unauthorized +1 REGISTER .* ms\n/);
    expect(out).toMatch(/sipkit:packet +-> tcp [0-9.:]+ +401 Unauthorized +1 REGISTER .* B\n/);
    expect(out).toMatch(/sipkit:transaction <- tcp [0-9.:]+ +REGISTER answered: 401 .* ms\n/);
    expect(out).toMatch(/sipkit:chain +Registrar +200 OK +2 REGISTER /);
    expect(out).not.toMatch(/Digest|nonce|response=/);
    expect(await stop(client)).toBe(0);
    expect(await stop(server)).toBe(0);
  });
});
