import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processTree } from "./measure.ts";

/** How long a server may take to start, ms. */
const START_WITHIN = 15_000;
/** How long a server may take to close, ms. */
const CLOSE_WITHIN = 5_000;

/** A running server under load. */
export interface Server {
  readonly name: string;
  readonly port: number;
  /** Every process of the server, as they are now. */
  pids(): readonly number[];
  /** All that it has printed. */
  output(): string;
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly cwd?: string;
}

/** What a benchmark starts and writes, all of it gone after `close()`. */
export class Workbench {
  /** A folder for users' lists, logs and statistics. */
  readonly folder: string = mkdtempSync(join(tmpdir(), "sipkit-bench-"));
  readonly #running = new Set<ChildProcess>();
  #names = 0;
  #isClosed = false;

  file(name: string): string {
    return join(this.folder, name);
  }

  /** A name for a process and its files that no other has. */
  newName(prefix: string): string {
    return `${prefix}-${++this.#names}`;
  }

  /** Starts a process whose output goes to `NAME.log`. */
  spawn(name: string, command: string, args: readonly string[], cwd?: string): ChildProcess {
    // Interrupted: a benchmark that is under way must not start its next step.
    if (this.#isClosed) throw new Error("the benchmark was ended");
    const log = openSync(this.file(`${name}.log`), "w");
    const child = spawn(command, args, { cwd, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#running.add(child);
    const forget = (): boolean => this.#running.delete(child);
    child.once("exit", forget);
    child.once("error", forget);
    return child;
  }

  /** Starts a server and waits until it listens on its UDP port. */
  async serve({ name, command, args, port, cwd }: ServerCommand): Promise<Server> {
    const log = this.newName("server");
    const child = this.spawn(log, command, args, cwd);
    const pid = child.pid;
    const deadline = Date.now() + START_WITHIN;
    while (udpSockets(port).length === 0) {
      if (pid === undefined || hasEnded(child) || Date.now() > deadline) {
        if (pid !== undefined) await this.end(child);
        throw new Error(`${name} doesn't start: ${this.tail(log)}`);
      }
      await sleep(50);
    }
    return {
      name,
      port,
      pids: () => (pid === undefined ? [] : processTree(pid)),
      output: () => this.#output(log),
      stop: () => this.end(child),
    };
  }

  /** Ends every process that is left and removes the folder. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#running].map((child) => this.end(child)));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Ends a process with all that it started: kindly, then hard. */
  async end(child: ChildProcess): Promise<void> {
    if (child.pid === undefined || hasEnded(child)) return;
    // Its children are noted first: those of a process killed hard have no parent to be found by.
    const pids = processTree(child.pid);
    child.kill("SIGTERM");
    const deadline = Date.now() + CLOSE_WITHIN;
    while (!hasEnded(child) && Date.now() < deadline) await sleep(20);
    if (!hasEnded(child)) for (const pid of pids) kill(pid);
  }

  #output(name: string): string {
    return readFileSync(this.file(`${name}.log`), "utf8");
  }

  /** The end of what a process has printed. */
  tail(name: string): string {
    return this.#output(name).trim().split("\n").slice(-5).join("\n");
  }
}

/** A UDP port of 127.0.0.1 that nobody uses now. */
export async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, "127.0.0.1", resolve);
  });
  const { port } = socket.address();
  await new Promise<void>((resolve) => {
    socket.close(resolve);
  });
  return port;
}

/** Datagrams to a UDP port of 127.0.0.1 that the kernel had no room for, of all its sockets. */
export function datagramsLost(port: number): number {
  const drops = udpSockets(port).map((line) => Number(line.trim().split(/\s+/).at(-1)));
  return drops.reduce((sum, count) => sum + count, 0);
}

function udpSockets(port: number): readonly string[] {
  // 127.0.0.1 as the kernel prints it on a little-endian machine.
  const local = ` 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  const lines = readFileSync("/proc/net/udp", "latin1").split("\n");
  return lines.filter((line) => line.includes(local));
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
