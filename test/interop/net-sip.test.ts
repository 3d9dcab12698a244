import { afterEach, describe, expect, inject, it } from "vitest";
import { endPrograms, Program } from "./program.ts";
import { type Server, startServer, users } from "./start-server.ts";

afterEach(endPrograms);

type Proto = "udp" | "tcp";

function phone(
  script: string,
  server: Server,
  user: string,
  proto: Proto,
  more: string[],
): Program {
  const file = new URL(`netsip/${script}.pl`, import.meta.url).pathname;
  const account = ["--server", server.address, "--proto", proto, "--user", user];
  return new Program("perl", [file, ...account, "--password", "secret", ...more]);
}

describe.skipIf(inject("missingTools").includes("Net::SIP"))("Net::SIP", () => {
  /** Alice calls bob; what both have printed when both have ended. */
  async function call(how: {
    readonly caller: Proto;
    readonly callee: Proto;
    readonly calls?: string[];
    readonly answers?: string[];
  }): Promise<{ alice: string; bob: string }> {
    const server = await startServer(...users("alice", "bob"));
    const bob = phone("answer", server, "bob", how.callee, how.answers ?? []);
    await bob.printed(/^listening$/m);
    const calls = ["--to", "bob", ...(how.calls ?? [])];
    const alice = phone("call", server, "alice", how.caller, calls);
    for (const program of [alice, bob]) {
      if ((await program.exit) !== 0) {
        throw program.failure(`failed; bob:\n${bob.output}\nserver:\n${server.program.output}\n`);
      }
    }
    await server.stop();
    return { alice: alice.output, bob: bob.output };
  }

  it.each([
    ["udp", "udp"],
    ["tcp", "tcp"],
    ["tcp", "udp"],
    ["udp", "tcp"],
  ] as const)("calls: %s to %s, with RTP both ways, and hangs up", async (caller, callee) => {
    const { alice, bob } = await call({ caller, callee, calls: ["--packets", "50"] });
    expect(alice).toMatch(/^registered \d+$/m);
    expect(alice).toMatch(/provisional 180\nestablished\nhung-up rtp \d+\n/);
    expect(bob).toMatch(/^registered \d+$/m);
    expect(bob).toMatch(/ringing\nestablished\nbye rtp [1-9]\d+\n/);
  });

  it.each([
    ["udp", "udp"],
    ["tcp", "udp"],
    ["tcp", "tcp"],
  ] as const)("is called: %s to %s, and the callee hangs up first", async (caller, callee) => {
    const { alice, bob } = await call({ caller, callee, answers: ["--hang-up", "50"] });
    expect(bob).toMatch(/ringing\nestablished\nhung-up rtp \d+\n/);
    expect(alice).toMatch(/established\nbye rtp [1-9]\d+\n/);
  });

  it.each([
    ["udp", "udp"],
    ["tcp", "tcp"],
  ] as const)("cancels while it rings: %s to %s", async (caller, callee) => {
    const { alice, bob } = await call({ caller, callee, calls: ["--cancel"], answers: ["--ring"] });
    expect(alice).toContain("provisional 180\nfailed 487\n");
    expect(bob).toContain("ringing\ncancelled rtp 0\n");
  });

  it.each(["udp", "tcp"] as const)("is told 404 for an unknown user: %s", async (proto) => {
    const server = await startServer(...users("alice"));
    const alice = phone("call", server, "alice", proto, ["--to", "nobody", "--within", "10"]);
    expect(await alice.exit, alice.output).toBe(0);
    expect(alice.output).toMatch(/^failed 404$/m);
    await server.stop();
  });

  it.each(["udp", "tcp"] as const)("can't register with a wrong password: %s", async (proto) => {
    const server = await startServer("--user", "alice:other");
    const alice = phone("call", server, "alice", proto, ["--to", "nobody", "--within", "10"]);
    expect(await alice.exit, alice.output).toBe(1);
    expect(alice.output).toContain("refused Failed with code 401\n");
    await server.stop();
  });
});
