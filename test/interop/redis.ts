import { writeFile } from "node:fs/promises";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import { scratchFolder } from "./scratch.ts";

/** A Redis server of the test's own. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly program: Program;
}

/** Starts `redis-server` on a port of 127.0.0.1, a free one where none is given; `args` are its settings. */
export async function startRedis(
  args: readonly string[] = [],
  givenPort?: number,
): Promise<RedisServer> {
  const port = givenPort ?? (await freePort());
  const folder = await scratchFolder();
  const settings = ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder, "--save", ""];
  settings.push("--repl-diskless-sync-delay", "0", ...args);
  const program = new Program("redis-server", settings);
  await program.printed(/Ready to accept connections/);
  return { port, url: `redis://127.0.0.1:${port}`, program };
}

/** Starts a sentinel that watches one master as `main`, and takes its own word for its death. */
export async function startSentinel(master: RedisServer): Promise<RedisServer> {
  const port = await freePort();
  const folder = await scratchFolder();
  const file = `${folder}/sentinel.conf`;
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    "sentinel down-after-milliseconds main 500",
    "sentinel failover-timeout main 5000",
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const program = new Program("redis-server", [file, "--sentinel"]);
  await program.printed(/\+monitor master main/);
  return { port, url: `redis://127.0.0.1:${port}`, program };
}

/** Runs a command on a server, by `redis-cli`, and gives what it prints. */
export async function redisCommand({ port }: RedisServer, ...words: string[]): Promise<string> {
  const program = new Program("redis-cli", ["-h", "127.0.0.1", "-p", `${port}`, ...words]);
  const exit = await program.exit;
  if (exit !== 0) throw program.failure(`ended with ${exit}`);
  return program.output.trim();
}
