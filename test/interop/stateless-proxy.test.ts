import { afterEach, describe, expect, inject, it } from "vitest";
import { freePort } from "./free-port.ts";
import { endPrograms, Program } from "./program.ts";
import { removeScratchFolders } from "./scratch.ts";
import { injected, runSipp, type SippOptions } from "./sipp.ts";
import type { Server } from "./start-server.ts";

afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

/** examples/stateless-proxy as a user starts it; alice and bob are its users. */
async function start(): Promise<Server> {
  const port = await freePort();
  const args = ["--conditions=@sipkit/source", "--import", "tsx"];
  const program = new Program(
    process.execPath,
    [...args, "examples/stateless-proxy/main.ts", `${port}`],
    { cwd: new URL("../../", import.meta.url).pathname },
  );
  await program.printed(/tcp:127\.0\.0\.2/);
  return {
    host: "127.0.0.1",
    port,
    address: `127.0.0.1:${port}`,
    program,
    async stop(signal = "SIGTERM") {
      const exit = await program.end(signal);
      if (exit !== 0) throw program.failure(`ended with ${exit} after ${signal}`);
    },
  };
}

describe.skipIf(inject("missingTools").includes("sipp"))("SIPp calls SIPp, statelessly", () => {
  // Fewer than the example's limit of requests from one address.
  const calls = 30;

  it.each<readonly [string, Pick<SippOptions, "transport" | "lost">]>([
    ["over UDP", { transport: "u1" }],
    ["over TCP to a callee on UDP", { transport: "t1" }],
    ["over UDP, both losing 10 % of the datagrams", { transport: "u1", lost: 10 }],
  ])("30 times %s", async (_, { transport = "u1", lost }) => {
    const server = await start();
    const port = await freePort();
    const inject = [injected("bob")];
    await runSipp({ scenario: "register", server, calls: 1, port, inject });
    const both = {
      server,
      calls,
      ignoresUnexpected: true,
      ...(lost === undefined ? {} : { lost }),
    };
    const [, answers] = await Promise.all([
      runSipp({
        ...both,
        scenario: "call-uac",
        rate: 15,
        transport,
        inject: [injected("alice", { callee: "bob" })],
      }),
      // It stays to answer a repeated BYE.
      runSipp({ ...both, scenario: "call-uas", port, pause: lost === undefined ? 1_000 : 15_000 }),
    ]);
    expect(answers.count("ACK")[0]).toBeGreaterThan(lost === undefined ? calls - 5 : calls / 2);
    await server.stop();
  });
});
