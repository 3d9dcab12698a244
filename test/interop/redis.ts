import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import { scratchFolder } from "./scratch.ts";

/** Another server that speaks as Redis does: `SIPKIT_REDIS_SERVER=/opt/valkey/bin/valkey-server`. Its `-cli` lies beside it. */
export const REDIS_SERVER: string = process.env.SIPKIT_REDIS_SERVER ?? "redis-server";
const REDIS_CLI = REDIS_SERVER.replace(/-server$/, "-cli");

/** A Redis server of the test's own. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Where its files are. */
  readonly folder: string;
  readonly program: Program;
}

/** Starts a server on a port of 127.0.0.1, a free one unless it is that of `before`; `args` are its settings. */
export async function startRedis(
  args: readonly string[] = [],
  before?: Pick<RedisServer, "port" | "folder">,
): Promise<RedisServer> {
  const port = before?.port ?? (await freePort());
  const folder = before?.folder ?? (await scratchFolder());
  const settings = ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder, "--save", ""];
  settings.push("--repl-diskless-sync-delay", "0", ...args);
  const program = new Program(REDIS_SERVER, settings);
  await program.printed(/Ready to accept connections/);
  return { port, url: `redis://127.0.0.1:${port}`, folder, program };
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
  const program = new Program(REDIS_SERVER, [file, "--sentinel"]);
  await program.printed(/\+monitor master main/);
  return { port, url: `redis://127.0.0.1:${port}`, folder, program };
}

/** Runs a command on a server, by `redis-cli`, and gives what it prints. */
export async function redisCommand({ port }: RedisServer, ...words: string[]): Promise<string> {
  const program = new Program(REDIS_CLI, ["-h", "127.0.0.1", "-p", `${port}`, ...words]);
  const exit = await program.exit;
  if (exit !== 0) throw program.failure(`ended with ${exit}`);
  return program.output.trim();
}

/** Asks again until it is answered as wanted, for 20 s. */
export async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (let turn = 0; ; turn += 1) {
    try {
      return await ask();
    } catch (error) {
      if (turn === 200) throw error;
      await sleep(100);
    }
  }
}
