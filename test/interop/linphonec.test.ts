import { afterEach, describe, expect, inject, it } from "vitest";
import { startBaresip } from "./baresip.ts";
import { startEdge } from "./edge.ts";
import { startLinphonec } from "./linphonec.ts";
import { endPrograms, type Program } from "./program.ts";
import { removeScratchFolders } from "./scratch.ts";
import { startServer, startTlsServer, users } from "./start-server.ts";

afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

/** Its caller's side of a call to bob, who answers. */
async function callBob(alice: Program, bob: Program): Promise<void> {
  alice.type("call sip:bob@example.com");
  for (const phone of [alice, bob]) await phone.printed(/Media streams established/);
  alice.type("terminate");
  for (const phone of [alice, bob]) await phone.printed(/Call \d+ with .* ended \(No error\)/);
}

async function quit(phone: Program): Promise<void> {
  phone.type("quit");
  expect(await phone.exit).toBe(0);
}

describe.skipIf(inject("missingTools").includes("linphonec"))("linphonec", () => {
  it.each([
    ["udp", "tls"],
    ["tcp", "udp"],
    ["tls", "tcp"],
  ] as const)(
    "registers over %s without a reg-id, and calls over %s from GRUU to GRUU",
    async (caller, callee) => {
      const server = await startTlsServer(...users("alice", "bob"));
      const bob = await startLinphonec(server, "bob", { proto: callee, answers: true });
      const alice = await startLinphonec(server, "alice", { proto: caller });
      for (const phone of [alice, bob]) {
        await phone.printed(/^Supported: replaces, outbound, gruu\r?$/m);
        await phone.printed(/^Authorization: .*uri="sip:example\.com"/m);
        await phone.printed(/^Contact: .*;\+sip\.instance="<urn:uuid:[\w-]+>"\r?$/m);
        await phone.printed(/;pub-gruu="sip:\w+@example\.com;gr=urn:uuid:/);
        expect(phone.output).not.toMatch(/;reg-id=|^Require:/m);
      }
      await callBob(alice, bob);
      expect(bob.output).toMatch(/^Contact: <sip:alice@example\.com;gr=urn:uuid:[\w-]+>/m);
      expect(alice.output).toMatch(/^BYE sip:bob@example\.com;gr=urn:uuid:/m);
      for (const phone of [alice, bob]) await quit(phone);
      await server.program.printed(/removed sip:bob@/);
      await server.stop();
    },
  );

  it.each(["udp", "tcp", "tls"] as const)(
    "registers a flow over %s when its account is told a reg-id",
    async (proto) => {
      const server = await startTlsServer(...users("alice", "bob"), "--flow-timer", "20");
      const bob = await startLinphonec(server, "bob", { proto, answers: true, regId: true });
      await bob.printed(/^Contact: .*;reg-id=1;\+sip\.instance=/m);
      await bob.printed(/^Require: outbound\r?\nFlow-Timer: 20\r?$/m);
      const alice = await startLinphonec(server, "alice", { proto, regId: true });
      await callBob(alice, bob);
      for (const phone of [alice, bob]) await quit(phone);
      await server.stop();
    },
  );

  it.each([
    ["udp", "without a reg-id", false],
    ["tcp", "without a reg-id", false],
    ["tls", "with a reg-id", true],
  ] as const)("is called through an edge proxy with Path: %s, %s", async (proto, _, regId) => {
    const server = await startServer(...users("alice", "bob"));
    const edge = await startEdge(server);
    const bob = await startLinphonec(edge, "bob", { proto, answers: true, regId });
    expect(edge.sent.at(-1)?.request.headers.get("path")).toMatch(/;lr;ob>$/);
    // It doesn't say that it supports Path, so it isn't told of it.
    expect(bob.output).not.toMatch(/^Path:/m);
    expect(/^Require: outbound/m.test(bob.output)).toBe(regId);

    const alice = await startLinphonec(server, "alice", { proto: "udp" });
    await callBob(alice, bob);
    const [invite] = edge.sent.filter(({ request }) => request.method === "INVITE");
    expect(invite?.to.protocol).toBe(proto);
    for (const phone of [alice, bob]) await quit(phone);
    expect(edge.errors).toEqual([]);
    await edge.close();
    await server.stop();
  });

  it.skipIf(inject("missingTools").includes("baresip"))(
    "calls baresip, and is called by it",
    async () => {
      const server = await startServer(...users("alice", "bob"));
      const alice = await startLinphonec(server, "alice", { proto: "tcp", answers: true });
      const bob = await startBaresip(server, "bob", { proto: "udp", answers: true });
      alice.type("call sip:bob@example.com");
      await bob.program.printed(/Call established/);
      await alice.printed(/Media streams established/);
      alice.type("terminate");
      await alice.printed(/Call 1 with .* ended \(No error\)/);

      bob.command("dial", "sip:alice@example.com");
      await alice.printed(/Call 2 with .* connected/);
      bob.command("hangup");
      await alice.printed(/Call 2 with .* ended \(No error\)/);
      await quit(alice);
      expect(await bob.program.end()).toBe(0);
      await server.stop();
    },
  );
});
