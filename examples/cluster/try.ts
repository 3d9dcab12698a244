/**
 * A whole cluster on this machine, to try it out: two nodes, Redis with two replicas, three sentinels. Needs redis-server.
 * It prints each process's id, to be killed; whoever was killed starts again after 10 s. Ctrl-C ends them all.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/cluster/try.ts
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const RESTART_AFTER = 10_000;
const REDIS_PORTS = [16_379, 16_380, 16_381];
const SENTINEL_PORTS = [26_379, 26_380, 26_381];
const NODES = { a: 5060, b: 5080 };

const folder = mkdtempSync(join(tmpdir(), "sipkit-cluster-"));
const running = new Map<string, ChildProcess>();
let isEnding = false;

/** Starts a process, tells what it says line by line, and starts it again when it has ended. */
function keep(name: string, command: string, args: readonly string[], isQuiet: boolean): void {
  const env = { SIPKIT_SECRET: randomSecret, ...process.env };
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  running.set(name, child);
  console.log(`${name}: process ${child.pid}`);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      if (!isQuiet) console.log(text.trimEnd().replaceAll(/^/gm, `${name}: `));
    });
  }
  child.on("error", (error) => {
    console.error(`${name}: ${error.message}`);
    end();
  });
  child.on("close", (code, signal) => {
    running.delete(name);
    if (isEnding) {
      if (running.size === 0) rmSync(folder, { recursive: true, force: true });
      return;
    }
    console.log(`${name}: ended by ${signal ?? code}`);
    setTimeout(() => {
      if (!isEnding) keep(name, command, args, isQuiet);
    }, RESTART_AFTER);
  });
}

function end(): void {
  isEnding = true;
  for (const child of running.values()) child.kill("SIGTERM");
}

const randomSecret = randomBytes(32).toString("hex");
const local = ["bind 127.0.0.1", `dir ${folder}`];

/** Sentinels and servers write into their configuration who is the master now, so that they know when they come back. */
function configure(name: string, lines: readonly string[]): string {
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, `${[...local, ...lines].join("\n")}\n`);
  return file;
}

for (const [index, port] of REDIS_PORTS.entries()) {
  const name = `redis ${port}`;
  const role = index === 0 ? [] : [`replicaof 127.0.0.1 ${REDIS_PORTS[0]}`];
  const file = configure(name, [`port ${port}`, 'save ""', ...role]);
  keep(name, "redis-server", [file], true);
}
for (const port of SENTINEL_PORTS) {
  const name = `sentinel ${port}`;
  const file = configure(name, [
    `port ${port}`,
    `sentinel monitor sipkit 127.0.0.1 ${REDIS_PORTS[0]} 2`,
    "sentinel down-after-milliseconds sipkit 2000",
    "sentinel failover-timeout sipkit 10000",
  ]);
  keep(name, "redis-server", [file, "--sentinel"], true);
}
const store = `sentinel:sipkit@${SENTINEL_PORTS.map((port) => `127.0.0.1:${port}`).join(",")}`;
const main = ["--import=tsx", "--conditions=@sipkit/source", "examples/cluster/main.ts"];
for (const [name, port] of Object.entries(NODES)) {
  const listen = ["tcp", "udp"].flatMap((protocol) => [
    "--listen",
    `${protocol}:127.0.0.1:${port}`,
  ]);
  keep(name, process.execPath, [...main, "--node", name, "--store", store, ...listen], false);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, end);
