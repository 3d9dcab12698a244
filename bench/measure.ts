/** Processor time and memory of processes, from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Linux reports times to programs in 1/100 s, whatever the kernel's own tick. */
const MICROSECONDS_A_TICK = 10_000;

/** A process and everything that it started, as they are now. */
export function processTree(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const fields = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (fields === undefined) continue;
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  // The list grows while it is walked: each process adds its own children.
  for (const member of tree) tree.push(...(children.get(member) ?? []));
  return tree;
}

/** User and system time that the processes have used so far, in µs, all threads. */
export function processorTime(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = statOf(pid);
    if (fields !== undefined) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * MICROSECONDS_A_TICK;
}

/**
 * Peak memory of a server in bytes: the largest process's VmHWM, and what the others hold alone.
 *
 * Adding up every VmHWM would count shared memory once a process.
 */
export function peakMemory(pids: readonly number[]): number {
  const peaks = pids.map((pid) => ({ pid, peak: kilobytes(`/proc/${pid}/status`, ["VmHWM"]) }));
  peaks.sort((a, b) => b.peak - a.peak);
  const [largest, ...others] = peaks;
  let total = largest?.peak ?? 0;
  for (const { pid } of others) {
    total += kilobytes(`/proc/${pid}/smaps_rollup`, ["Private_Clean", "Private_Dirty"]);
  }
  return total * 1024;
}

/** Memory that processes hold now, bytes: of shared memory each its share. */
export function residentMemory(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) total += kilobytes(`/proc/${pid}/smaps_rollup`, ["Pss"]);
  return total * 1024;
}

/** The fields of /proc/PID/stat after the command's name, state first. */
function statOf(pid: number): readonly string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The name is the only field that may hold spaces and brackets.
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

function kilobytes(file: string, names: readonly string[]): number {
  let sum = 0;
  for (const line of read(file)?.split("\n") ?? []) {
    const [name = "", value = ""] = line.split(":");
    if (names.includes(name)) sum += Number.parseInt(value, 10);
  }
  return sum;
}

/** A process may end while we look: then there is nothing to read. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
