import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, type Server, type Workbench } from "../workbench.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** How long all workers may take to start, ms. */
const START_WITHIN = 30_000;

/** Starts `examples/workers` on the built packages, on UDP alone. */
export async function startWorkers(
  bench: Workbench,
  name: string,
  workers: number,
  options: readonly string[],
): Promise<Server> {
  const port = await freePort();
  const server = await bench.serve({
    name,
    port,
    cwd: ROOT,
    command: process.execPath,
    args: [
      ...["--import", "tsx", "examples/workers/main.ts", "--workers", `${workers}`],
      ...["--private-port", `${await freePort()}`],
      ...["--listen", `udp:127.0.0.1:${port}`, "--domain", "example.com"],
      ...options,
    ],
  });
  // The port is taken for a moment before the workers share it.
  const deadline = Date.now() + START_WITHIN;
  while (!server.output().includes("registrations are kept in")) {
    if (Date.now() > deadline) throw new Error(`${name} doesn't start: ${server.output()}`);
    await sleep(50);
  }
  return server;
}
