import { afterEach, describe, expect, inject, it } from "vitest";
import { endPrograms, Program } from "./program.ts";
import { startServer, users } from "./start-server.ts";

afterEach(endPrograms);

describe.skipIf(inject("missingTools").includes("sipsak"))("sipsak", () => {
  it("gets 200 to an OPTIONS", async () => {
    const server = await startServer(...users("alice"));
    const sipsak = new Program("sipsak", ["-vv", "-s", `sip:${server.address}`]);
    expect(await sipsak.exit, sipsak.output).toBe(0);
    expect(sipsak.output).toContain("SIP/2.0 200 ");
    await server.stop();
  });
});
