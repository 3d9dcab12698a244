import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, inject, it } from "vitest";
import { startBaresip } from "./baresip.ts";
import { endPrograms } from "./program.ts";
import { removeScratchFolders } from "./scratch.ts";
import { injected, runSipp } from "./sipp.ts";
import { startTlsServer, users } from "./start-server.ts";

afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

describe.skipIf(inject("missingTools").includes("baresip"))("baresip over TLS", () => {
  it.each([
    ["tls", "tls"],
    ["udp", "tls"],
    ["tls", "udp"],
  ] as const)("registers and calls baresip: %s to %s", async (caller, callee) => {
    const server = await startTlsServer(...users("alice", "bob"));
    const bob = await startBaresip(server, "bob", { proto: callee, answers: true });
    const alice = await startBaresip(server, "alice", { proto: caller });

    alice.command("dial", "sip:bob@example.com");
    for (const { program } of [alice, bob]) {
      await program.printed(/Call established/);
      await program.printed(/incoming rtp for 'audio' established/);
    }

    await sleep(1_000);
    alice.command("hangup");
    for (const { program } of [alice, bob]) {
      await program.printed(/Call with .* terminated/);
      expect(await program.end()).toBe(0);
    }
    await server.stop();
  });
});

describe.skipIf(inject("missingTools").includes("sipp"))("SIPp over TLS", () => {
  it.each([
    ["one connection", "l1"],
    ["a connection for each", "ln"],
  ] as const)("registers 200 users with digest over %s", async (_, transport) => {
    const names = Array.from({ length: 200 }, (_, n) => `user${n}`);
    const server = await startTlsServer(...users(...names));
    const inject = names.map((name) => injected(name));
    await runSipp({ scenario: "register", server, calls: 200, transport, inject, limit: 20 });
    await server.stop();
  });
});
