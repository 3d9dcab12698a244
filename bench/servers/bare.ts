import { join } from "node:path";
import { freePort, type Server, type Workbench } from "../workbench.ts";

/** Starts the responder that does the least that Node can do. */
export async function startBareResponder(bench: Workbench, name: string): Promise<Server> {
  const port = await freePort();
  return bench.serve({
    name,
    port,
    command: process.execPath,
    args: ["--import", "tsx", "bench/bare-responder.ts", `${port}`],
    cwd: join(import.meta.dirname, "..", ".."),
  });
}
