import { afterEach, describe, expect, inject, it } from "vitest";
import { endPrograms } from "./program.ts";
import { removeScratchFolders } from "./scratch.ts";
import { injected, runSipp } from "./sipp.ts";
import { startServer, users } from "./start-server.ts";

afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

const USERS = 20;

/** Users of one run: each must have no registrations when it begins. */
function named(prefix: string): readonly string[] {
  return Array.from({ length: USERS }, (_, n) => `${prefix}${n}`);
}

describe.skipIf(inject("missingTools").includes("sipp"))("SIPp watches registrations", () => {
  it("is told that there are none, of its own, and of all at the end, over UDP and TCP", async () => {
    const byUdp = named("u");
    const byTcp = named("t");
    const server = await startServer(...users(...byUdp, ...byTcp));
    const runs = [
      ["u1", byUdp],
      ["t1", byTcp],
    ] as const;
    const results = await Promise.all(
      runs.map(([transport, all]) =>
        runSipp({
          scenario: "watch",
          server,
          calls: USERS,
          transport,
          inject: all.map((name) => injected(name)),
        }),
      ),
    );
    for (const result of results) expect(result.count("NOTIFY")).toEqual([USERS, USERS, USERS]);
    await server.stop();
  });
});
