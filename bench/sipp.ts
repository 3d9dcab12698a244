import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Workbench } from "./workbench.ts";

/** One run of a SIPp scenario of `bench/sipp` over UDP on 127.0.0.1. */
export interface SippRun {
  /** Name of the scenario's file, without `.xml`. */
  readonly scenario: string;
  /** Where the requests go. */
  readonly remotePort: number;
  readonly localPort: number;
  /** The file whose fields the scenario names (SIPp's `-inf`). */
  readonly fields: string;
  /** Calls begun in a second. */
  readonly rate: number;
  readonly calls: number;
}

export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** Calls a second that were really made, over the whole run. */
  readonly rate: number;
}

/** Calls open at a time, at most: a server that falls behind slows the load instead of drowning. */
const OPEN_CALLS = 5_000;
/** Sent again at most so often: after 0.5 and 1.5 s; at 3.5 s the call has failed. */
const RETRANSMISSIONS = 2;
/** What a run may take longer than its calls at their rate, s. */
const GRACE = 10;

/** Runs a scenario that calls, to its end. */
export async function runSipp(bench: Workbench, run: SippRun): Promise<SippResult> {
  const name = bench.newName("sipp");
  const statistics = bench.file(`${name}.csv`);
  const child = bench.spawn(name, "sipp", [
    `127.0.0.1:${run.remotePort}`,
    ...commonArguments(bench, name, run),
    ...["-inf", run.fields, "-r", `${run.rate}`, "-m", `${run.calls}`],
    ...["-max_retrans", `${RETRANSMISSIONS}`],
    ...["-timeout", `${Math.ceil(run.calls / run.rate) + GRACE}`],
    ...["-trace_stat", "-stf", statistics, "-fd", "1"],
  ]);
  await once(child, "exit");
  if (!existsSync(statistics)) throw new Error(`SIPp doesn't run: ${bench.tail(name)}`);
  return parseStatistics(readFileSync(statistics, "latin1"), run.calls);
}

/** Starts a scenario that waits for calls, until the workbench is closed. */
export async function startSipp(
  bench: Workbench,
  run: Pick<SippRun, "scenario" | "localPort">,
): Promise<void> {
  const name = bench.newName("sipp");
  bench.spawn(name, "sipp", commonArguments(bench, name, run));
  // SIPp doesn't say when it is ready; it reads a scenario in some milliseconds.
  await sleep(300);
}

function commonArguments(
  bench: Workbench,
  name: string,
  { scenario, localPort }: Pick<SippRun, "scenario" | "localPort">,
): readonly string[] {
  return [
    ...["-sf", join(import.meta.dirname, "sipp", `${scenario}.xml`), "-nostdin"],
    ...["-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", `${localPort}`],
    ...["-l", `${OPEN_CALLS}`, "-deadcall_wait", "0", "-default_behaviors", "all,-bye"],
    ...["-trace_err", "-error_file", bench.file(`${name}.err`)],
  ];
}

/** The last line of SIPp's statistics holds the totals; columns are found by their names. */
function parseStatistics(text: string, calls: number): SippResult {
  const lines = text.trim().split("\n");
  const names = lines[0]?.split(";") ?? [];
  const values = lines.at(-1)?.split(";") ?? [];
  const column = (name: string): number => {
    const value = Number(values[names.indexOf(name)]);
    if (Number.isNaN(value)) throw new Error(`SIPp's statistics have no ${name}`);
    return value;
  };
  const successful = column("SuccessfulCall(C)");
  return {
    successful,
    // A call that was never begun, because SIPp ran out of time, has failed as well.
    failed: Math.max(column("FailedCall(C)"), calls - successful),
    retransmissions: column("Retransmissions(C)"),
    rate: column("CallRate(C)"),
  };
}
