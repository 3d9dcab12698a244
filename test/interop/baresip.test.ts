import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, inject, it } from "vitest";
import { startBaresip } from "./baresip.ts";
import { startEdge } from "./edge.ts";
import { endPrograms } from "./program.ts";
import { removeScratchFolders } from "./scratch.ts";
import { startServer, startTlsServer, users } from "./start-server.ts";

afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

describe.skipIf(inject("missingTools").includes("baresip"))("baresip", () => {
  it.each([
    ["udp", "udp"],
    ["tcp", "tcp"],
    ["tcp", "udp"],
  ] as const)("registers and calls baresip: %s to %s", async (caller, callee) => {
    const server = await startServer(...users("alice", "bob"));
    const bob = await startBaresip(server, "bob", { proto: callee, answers: true });
    const alice = await startBaresip(server, "alice", { proto: caller });

    alice.command("dial", "sip:bob@example.com");
    await alice.program.printed(/SIP Progress: 180/);
    for (const { program } of [alice, bob]) {
      await program.printed(/Call established/);
      await program.printed(/incoming rtp for 'audio' established/);
    }

    await sleep(1_500);
    alice.command("hangup");
    for (const { program } of [alice, bob]) {
      await program.printed(/Call with .* terminated/);
      const [, sent, received] = await program.printed(/packets: +(\d+) +(\d+)/);
      expect(Number(sent)).toBeGreaterThan(20);
      expect(Number(received)).toBeGreaterThan(20);
      expect(await program.end()).toBe(0);
    }
    await server.stop();
  });

  it.each(["udp", "tcp", "tls"] as const)(
    "registers a flow over %s, and is called at its GRUU",
    async (proto) => {
      const server = await startTlsServer(...users("alice", "bob"), "--flow-timer", "20");
      const bob = await startBaresip(server, "bob", { proto, answers: true, outbound: true });
      const alice = await startBaresip(server, "alice", { proto, outbound: true });
      for (const { program } of [alice, bob]) {
        await program.printed(/^Supported: gruu, outbound, path\r?$/m);
        await program.printed(/^Contact: .*;\+sip\.instance="<urn:uuid:[\w-]+>";reg-id=1\r?$/m);
        await program.printed(/^Require: outbound\r?\nFlow-Timer: 20\r?$/m);
        await program.printed(/;pub-gruu="sip:\w+@example\.com;gr=urn:uuid:/);
      }
      alice.command("dial", "sip:bob@example.com");
      for (const { program } of [alice, bob]) await program.printed(/Call established/);
      // It says nothing of a call that took no second.
      await sleep(1_500);
      alice.command("hangup");
      for (const { program } of [alice, bob]) {
        await program.printed(/Call with .* terminated/);
        expect(await program.end()).toBe(0);
      }
      await server.stop();
    },
  );

  it.each(["udp", "tcp", "tls"] as const)(
    "is called through an edge proxy with Path, over its flow: %s",
    async (proto) => {
      const server = await startServer(...users("alice", "bob"));
      const edge = await startEdge(server);
      const bob = await startBaresip(edge, "bob", { proto, answers: true, outbound: true });
      await bob.program.printed(/^Path: <sip:[^>]+;lr;ob>\r?$/m);
      await bob.program.printed(/^Require: outbound\r?$/m);
      const alice = await startBaresip(server, "alice", { proto: "udp" });
      alice.command("dial", "sip:bob@example.com");
      for (const { program } of [alice, bob]) await program.printed(/Call established/);
      const [invite] = edge.sent.filter(({ request }) => request.method === "INVITE");
      expect(invite?.to.protocol).toBe(proto);
      expect(edge.errors).toEqual([]);
      for (const { program } of [alice, bob]) expect(await program.end()).toBe(0);
      await edge.close();
      await server.stop();
    },
  );
});
