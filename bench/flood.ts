import { fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startPhones } from "./load/start-phones.ts";
import { peakMemory, processorTime, residentMemory } from "./measure.ts";
import { startSipkit } from "./servers/sipkit.ts";
import { megabytes, number, printTable } from "./table.ts";
import { writeHtdigest } from "./users.ts";
import type { Workbench } from "./workbench.ts";

const SECONDS = 60;
const PHONES = 50;
/** Registrations of the phones in a second. */
const RATE = 50;
/** How often memory is looked at, s. */
const SAMPLE = 2;

export interface FloodFigures {
  /** Requests of strangers that were sent. */
  readonly flooded: number;
  /** Resident memory of the server, in bytes: before, and each two seconds since. */
  readonly memory: readonly number[];
  /** The most of the last third over the most of the third before it: one that still grows is over 1. */
  readonly growth: number;
  readonly registered: number;
  readonly failed: number;
  /** Share of one processor that the server used. */
  readonly load: number;
}

/** Strangers send REGISTER and INVITE from ever new addresses for a minute, while phones register. */
export async function benchFlood(bench: Workbench): Promise<FloodFigures> {
  const server = await startSipkit(bench, "sipkit", [
    ...["--htdigest", writeHtdigest(bench, PHONES), "--max-expires", "3600"],
  ]);
  console.log(
    `\nbench flood: REGISTER and INVITE by turns, each from an address and port that never sent before, ` +
      `for ${SECONDS} s, while ${PHONES} phones register ${RATE} times a second.`,
  );
  const phones = await startPhones("udp", server.port, PHONES);
  const flooder = fork(join(import.meta.dirname, "load", "flooder.ts"), [`${server.port}`], {
    execArgv: ["--import", "tsx"],
  });
  try {
    let flooded = 0;
    flooder.on("message", (sent: number) => {
      flooded = sent;
    });
    await phones.load({ rate: RATE, seconds: 2 });
    const memory = [residentMemory(server.pids())];
    const before = processorTime(server.pids());
    flooder.send("begin");
    const load = phones.load({ rate: RATE, seconds: SECONDS });
    for (let second = 0; second < SECONDS; second += SAMPLE) {
      await sleep(SAMPLE * 1_000);
      memory.push(residentMemory(server.pids()));
    }
    const { successful, failed } = await load;
    const used = processorTime(server.pids()) - before;
    const figures: FloodFigures = {
      flooded,
      memory,
      growth: growthOf(memory),
      registered: successful,
      failed,
      load: used / (SECONDS * 1e6),
    };
    print(figures, peakMemory(server.pids()));
    return figures;
  } finally {
    flooder.kill();
    phones.stop();
    await server.stop();
  }
}

function growthOf(memory: readonly number[]): number {
  const third = Math.floor(memory.length / 3);
  return Math.max(...memory.slice(-third)) / Math.max(...memory.slice(-2 * third, -third));
}

function print(
  { flooded, memory, growth, registered, failed, load }: FloodFigures,
  peak: number,
): void {
  printTable(
    ["what", "figure"],
    [
      ["requests of strangers", number(flooded)],
      ["a second", number(flooded / SECONDS)],
      ["registrations of phones", number(registered)],
      ["that failed", number(failed)],
      ["server's share of a processor", number(load, 2)],
      ["resident before, MB", megabytes(memory[0] ?? 0)],
      ["after 20, 40 and 60 s, MB", [10, 20, 30].map((i) => megabytes(memory[i] ?? 0)).join(" · ")],
      ["peak, MB", megabytes(peak)],
      ["last third over the one before", number(growth, 2)],
    ],
  );
}
