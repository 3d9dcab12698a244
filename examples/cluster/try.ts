/**
 * A whole cluster on this machine, to try it out: two nodes, Redis with two replicas, three sentinels. Needs redis-server.
 * It prints each process's id, to be killed; whoever was killed starts again after 5 s. Ctrl-C ends them all.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/cluster/try.ts
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const RESTART_AFTER = 5000;
/** Ports that are taken where they are free. */
const REDIS_PORTS = [16_379, 16_380, 16_381];
const SENTINEL_PORTS = [26_379, 26_380, 26_381];
const NODES = { a: 5060, b: 5080 };

const secret = randomBytes(32).toString("hex");
const folder = mkdtempSync(join(tmpdir(), "sipkit-cluster-"));
const running = new Map<string, ChildProcess>();
let isEnding = false;

/** Starts a process, tells what it says line by line, and starts it again when it has ended. */
function keep(name: string, command: string, args: readonly string[], isQuiet: boolean): void {
  const env = { SIPKIT_SECRET: secret, ...process.env };
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

const local = ["bind 127.0.0.1", `dir ${folder}`];

/** Sentinels and servers write into their configuration who is the master now, so that they know when they come back. */
function configure(name: string, lines: readonly string[]): string {
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, `${[...local, ...lines].join("\n")}\n`);
  return file;
}

/** That port, or another one where it is in use. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return freePort(0);
  }
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : wanted;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, end);
const redisPorts = await Promise.all(REDIS_PORTS.map(freePort));
const sentinelPorts = await Promise.all(SENTINEL_PORTS.map(freePort));
for (const [index, port] of redisPorts.entries()) {
  const role = index === 0 ? [] : [`replicaof 127.0.0.1 ${redisPorts[0]}`];
  const lines = [`port ${port}`, 'save ""', "repl-diskless-sync-delay 0", ...role];
  keep(`redis ${port}`, "redis-server", [configure(`redis-${port}`, lines)], true);
}
for (const port of sentinelPorts) {
  const file = configure(`sentinel-${port}`, [
    `port ${port}`,
    `sentinel monitor sipkit 127.0.0.1 ${redisPorts[0]} 2`,
    "sentinel down-after-milliseconds sipkit 2000",
    "sentinel failover-timeout sipkit 10000",
  ]);
  keep(`sentinel ${port}`, "redis-server", [file, "--sentinel"], true);
}
const store = `sentinel:sipkit@${sentinelPorts.map((port) => `127.0.0.1:${port}`).join(",")}`;
const main = ["--import=tsx", "--conditions=@sipkit/source", "examples/cluster/main.ts"];
for (const [name, wanted] of Object.entries(NODES)) {
  const port = await freePort(wanted);
  const listen = ["tcp", "udp"].flatMap((protocol) => [
    "--listen",
    `${protocol}:127.0.0.1:${port}`,
  ]);
  keep(name, process.execPath, [...main, "--node", name, "--store", store, ...listen], false);
}
