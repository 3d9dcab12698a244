import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, inject, it } from "vitest";
import { startBaresip } from "./baresip.ts";
import { freePort } from "./free-port.ts";
import { endPrograms } from "./program.ts";
import { digest, RawPhone } from "./raw-phone.ts";
import { removeScratchFolders } from "./scratch.ts";
import { injected, runSipp, sippHasTls } from "./sipp.ts";
import { type Server, startTlsServer, users } from "./start-server.ts";

afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

/** Registers, over UDP, a contact that is elsewhere: there is no way to it but its URI. */
async function bindContact(server: Server, user: string, contact: string): Promise<void> {
  const phone = await RawPhone.open(server, "127.0.0.2");
  const request = { user, contact, callId: `bind-${user}` };
  const challenged = await phone.register({ ...request, cseq: 1 });
  const authorization = digest(challenged, { user, password: "secret" });
  const accepted = await phone.register({ ...request, cseq: 2, authorization });
  expect(accepted.status).toBe(200);
  phone.close();
}

describe.skipIf(inject("missingTools").includes("baresip"))("baresip over TLS", () => {
  it.each([
    ["tls", "tls"],
    ["udp", "tls"],
    ["tls", "udp"],
  ] as const)("registers and calls baresip: %s to %s", async (caller, callee) => {
    const server = await startTlsServer(...users("alice", "bob"));
    const bob = await startBaresip(server, "bob", { proto: callee, answers: true });
    const alice = await startBaresip(server, "alice", { proto: caller });
    for (const [user, protocol] of [
      ["alice", caller],
      ["bob", callee],
    ] as const) {
      const contact = protocol === "tls" ? ";transport=tls" : "";
      await server.program.printed(
        new RegExp(`added sip:${user}@example\\.com at "[^;"]*${contact}"`),
      );
    }

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

describe.skipIf(!sippHasTls())("SIPp over TLS", () => {
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

  it.each([
    ["udp", "u1"],
    ["tls", "l1"],
  ] as const)("calls a contact on %s 100 times", async (protocol, answers) => {
    const server = await startTlsServer(...users("alice", "bob"));
    const port = await freePort();
    await bindContact(server, "bob", `sip:bob@127.0.0.1:${port};transport=${protocol}`);
    const each = { server, calls: 100, rate: 50, ignoresUnexpected: true };
    const inject = [injected("alice", { callee: "bob" })];
    const [calls, answered] = await Promise.all([
      runSipp({ ...each, scenario: "call-uac", transport: "l1", inject }),
      runSipp({ ...each, scenario: "call-uas", transport: answers, port, pause: 1_000 }),
    ]);
    expect(calls.successful).toBe(100);
    expect(answered.count("ACK")[0]).toBeGreaterThan(90);
    await server.stop();
  });
});
