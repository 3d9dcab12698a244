import { afterEach, describe, expect, inject, it } from "vitest";
import { freePort } from "./free-port.ts";
import { endPrograms } from "./program.ts";
import { removeScratchFolders } from "./scratch.ts";
import { injected, runSipp, type SippOptions } from "./sipp.ts";
import { type Server, startServer, users } from "./start-server.ts";

afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

// How long a callee stays to answer a repeated BYE, ms: what the proxy repeats in that time is
// lost altogether once in some hundred thousand calls.
const untilByeIsThrough = 15_000;

/** A UDP port that bob is registered at. */
async function registeredPort(server: Server): Promise<number> {
  const port = await freePort();
  await runSipp({ scenario: "register", server, calls: 1, port, inject: [injected("bob")] });
  return port;
}

describe.skipIf(inject("missingTools").includes("sipp"))("SIPp calls SIPp", () => {
  const caller: Omit<SippOptions, "server"> = {
    scenario: "call-uac",
    calls: 500,
    rate: 100,
    inject: [injected("alice", { callee: "bob" })],
    ignoresUnexpected: true,
  };
  const callee: Omit<SippOptions, "server"> = {
    scenario: "call-uas",
    calls: 500,
    limit: 2_000,
    pause: 4_000,
    ignoresUnexpected: true,
  };

  it.each([
    ["over UDP", "u1"],
    ["over TCP to a callee on UDP", "t1"],
  ] as const)("500 times %s", async (_, transport) => {
    const server = await startServer(...users("alice", "bob"));
    const port = await registeredPort(server);
    const answering = runSipp({ ...callee, server, port });
    const [calls, answers] = await Promise.all([
      runSipp({ ...caller, server, transport }),
      answering,
    ]);
    // The scenarios pass without a 180 or an ACK too, as they must where datagrams are lost, and a
    // busy machine loses some of its own.
    expect(calls.count("180")[0]).toBeGreaterThan(400);
    expect(answers.count("ACK")[0]).toBeGreaterThan(400);
    await server.stop();
  });

  it.each([
    ["over UDP, both losing 10 % of the datagrams", { transport: "u1", lost: 10 }],
    ["over TCP to a callee on UDP that loses 10 % of the datagrams", { transport: "t1" }],
  ] as const)("500 times %s", async (_, way) => {
    const server = await startServer(...users("alice", "bob"));
    const port = await registeredPort(server);
    await Promise.all([
      runSipp({ ...caller, ...way, server }),
      runSipp({ ...callee, server, port, lost: 10, pause: untilByeIsThrough }),
    ]);
    await server.stop();
  });

  it("on two devices: one answers, the other is cancelled", async () => {
    const server = await startServer(...users("alice", "bob"));
    const answers = await registeredPort(server);
    const isCancelled = await registeredPort(server);
    const calls = 50;
    const [, , cancelled] = await Promise.all([
      runSipp({ ...caller, server, calls, rate: 50 }),
      runSipp({ ...callee, server, calls, port: answers }),
      runSipp({ scenario: "cancelled-uas", server, calls, port: isCancelled }),
    ]);
    expect(cancelled.count("CANCEL")).toEqual([calls]);
    expect(cancelled.count("487")).toEqual([calls]);
    expect(cancelled.count("ACK")).toEqual([calls]);
    await server.stop();
  });
});
