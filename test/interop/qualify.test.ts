import { afterEach, expect, inject, it } from "vitest";
import { startBaresip } from "./baresip.ts";
import { endPrograms } from "./program.ts";
import { removeScratchFolders } from "./scratch.ts";
import { startServer, users } from "./start-server.ts";

afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

it.skipIf(inject("missingTools").includes("baresip"))(
  "baresip answers pings; while it stands still it is told to be unreachable, and then to be back",
  async () => {
    const server = await startServer(...users("alice"), "--qualify", "2");
    const { program } = await startBaresip(server, "alice", { proto: "udp" });
    await server.program.printed(/^reachable sip:alice@example\.com at "sip:alice-[^"]+"/m);
    program.signal("SIGSTOP");
    await server.program.printed(/unreachable sip:alice@example\.com/);
    program.signal("SIGCONT");
    await server.program.printed(/unreachable sip:alice[\s\S]*\nreachable sip:alice/);
    expect(server.program.output).not.toMatch(/lost sip:alice/);
    await program.end();
    await server.stop();
  },
);
