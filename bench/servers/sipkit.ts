import { join } from "node:path";
import { freePort, type Server, type Workbench } from "../workbench.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/**
 * Starts `examples/registrar` on the built packages.
 *
 * Without the `@sipkit/source` condition the packages are those of `dist`, plain JavaScript as it is
 * published; tsx loads only the example itself, which costs nothing once it runs.
 */
export async function startSipkit(
  bench: Workbench,
  name: string,
  options: readonly string[],
): Promise<Server> {
  const port = await freePort();
  return bench.serve({
    name,
    port,
    cwd: ROOT,
    command: process.execPath,
    args: [
      ...["--import", "tsx", "examples/registrar/main.ts"],
      ...["--listen", `udp:127.0.0.1:${port}`, "--domain", "example.com"],
      // In memory, as the servers that it is compared with.
      ...(options.includes("--store") ? [] : ["--store", "memory"]),
      ...options,
    ],
  });
}
