import { type ChildProcess, spawn } from "node:child_process";
import { hasTool } from "../tools.ts";
import { freePort } from "../workbench.ts";

export interface Redis {
  readonly url: string;
  readonly process: ChildProcess;
}

/** A server that writes nothing to the disk, on a free port; none where it isn't installed. */
export async function startRedis(folder: string): Promise<Redis | undefined> {
  if (!hasTool("redis", "the store in Redis")) return undefined;
  const port = await freePort();
  const settings = ["--bind", "127.0.0.1", "--port", `${port}`, "--save", "", "--dir", folder];
  const command = "redis-server";
  const process = spawn(command, settings, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const text of process.stdout) if (String(text).includes("Ready to accept")) break;
  process.stdout.resume();
  return { url: `redis://127.0.0.1:${port}`, process };
}
