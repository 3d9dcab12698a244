import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, inject, it } from "vitest";
import { endPrograms } from "./program.ts";
import { digest, md5, RawPhone } from "./raw-phone.ts";
import { removeScratchFolders, scratchFolder } from "./scratch.ts";
import { injected, runSipp } from "./sipp.ts";
import { startServer, users } from "./start-server.ts";

afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

const names = Array.from({ length: 2_000 }, (_, n) => `user${`${n}`.padStart(4, "0")}`);

/** An htdigest file of the 2,000 users. */
async function htdigest(): Promise<string> {
  const file = join(await scratchFolder(), "htdigest");
  const lines = names.map((name) => `${name}:example.com:${md5(`${name}:example.com:secret`)}\n`);
  await writeFile(file, lines.join(""));
  return file;
}

describe.skipIf(inject("missingTools").includes("sipp"))("SIPp registers", () => {
  it.each([
    ["over UDP", "u1", true],
    // A closed connection takes along what is reached over it.
    ["over one TCP connection", "t1", false],
    ["over a TCP connection for each", "tn", false],
  ] as const)("2,000 users with digest %s", async (_, transport, areKept) => {
    const server = await startServer("--htdigest", await htdigest());
    const inject = names.map((name) => injected(name));
    await runSipp({
      scenario: "register",
      server,
      calls: names.length,
      transport,
      inject,
      limit: 50,
    });

    expect(server.program.output.match(/^added /gm)).toHaveLength(names.length);
    const phone = await RawPhone.open(server);
    for (const name of ["user0000", "user0999", "user1999"]) {
      const bindings = areKept ? [expect.stringContaining(`<sip:${name}@`)] : [];
      expect(await phone.bindings(name)).toEqual(bindings);
    }
    phone.close();
    await server.stop();
  });

  it("gets 401 again for a wrong password and for nobody's name, and no binding", async () => {
    const server = await startServer(...users("alice", "bob"));
    const inject = [
      injected("alice", { password: "wrong" }),
      injected("bob", { password: "wrong" }),
      injected("nobody"),
    ];
    await runSipp({ scenario: "register-wrong-password", server, calls: 30, inject });

    const phone = await RawPhone.open(server);
    expect(await phone.bindings("alice")).toEqual([]);
    expect(await phone.bindings("bob")).toEqual([]);
    phone.close();
    await server.stop("SIGINT");
  });
});

describe("A replayed REGISTER", () => {
  it("with another Contact is refused and binds nothing", async () => {
    const server = await startServer(...users("alice"));
    const phone = await RawPhone.open(server);
    const thief = await RawPhone.open(server);
    const user = "alice";
    const contact = `sip:alice@${phone.address}`;
    const callId = "replayed";

    const challenged = await phone.register({ user, contact, callId, cseq: 1 });
    expect(challenged.status).toBe(401);
    const authorization = digest(challenged, { user, password: "secret" });
    const accepted = await phone.register({ user, contact, callId, cseq: 2, authorization });
    expect(accepted.status).toBe(200);

    const stolen = { user, contact: `sip:alice@${thief.address}`, callId, authorization };
    for (const replay of [
      await thief.register({ ...stolen, cseq: 3 }),
      await thief.register({ ...stolen, cseq: 2 }),
      await thief.register({ ...stolen, cseq: 1, callId: "another" }),
      await phone.register({ ...stolen, cseq: 3 }),
    ]) {
      expect(replay.status).toBe(401);
    }

    expect(await phone.bindings(user)).toEqual([expect.stringContaining(`<${contact}>`)]);
    phone.close();
    thief.close();
    await server.stop();
  });
});
