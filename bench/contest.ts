import { peakMemory, processorTime } from "./measure.ts";
import type { SippResult } from "./sipp.ts";
import { median } from "./statistics.ts";
import { megabytes, number, printTable, spread } from "./table.ts";
import type { Server } from "./workbench.ts";

/** A server that takes part, and how it is put under load. */
export interface Contender {
  readonly server: Server;
  /** Calls or registrations a second while processor time is measured. */
  readonly rate: number;
  load(rate: number, count: number): Promise<SippResult>;
}

/** One contender's figures over all rounds. */
export interface Score {
  readonly name: string;
  readonly rate: number;
  /** User and system time of all the server's processes, µs for one, in each round. */
  readonly cpu: readonly number[];
  readonly failed: number;
  readonly retransmissions: number;
  /** Peak memory after the rounds, bytes. */
  readonly memory: number;
}

/**
 * Puts each contender under load in turn, round after round.
 *
 * A noisy machine changes from one second to the next: what is compared is measured close together,
 * and many short rounds say more than one long one.
 */
export async function compete(
  contenders: readonly Contender[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<readonly Score[]> {
  // The first load meets cold caches, unmapped memory and code that is not compiled yet.
  for (const { load, rate } of contenders) await load(rate, rate * seconds);
  const samples = contenders.map(() => [] as { cpu: number; result: SippResult }[]);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { server, rate, load }] of contenders.entries()) {
      const count = rate * seconds;
      const pids = server.pids();
      const before = processorTime(pids);
      const result = await load(rate, count);
      samples[i]?.push({ cpu: (processorTime(pids) - before) / count, result });
    }
  }
  return contenders.map(({ server, rate }, i) => {
    const own = samples[i] ?? [];
    return {
      name: server.name,
      rate,
      cpu: own.map(({ cpu }) => cpu),
      failed: own.reduce((sum, { result }) => sum + result.failed, 0),
      retransmissions: own.reduce((sum, { result }) => sum + result.retransmissions, 0),
      memory: peakMemory(server.pids()),
    };
  });
}

/** Ours over theirs, each ratio taken within one round. */
export interface Ratio {
  readonly to: string;
  readonly perRound: readonly number[];
  readonly median: number;
  /** What the ratio may be at most, and what it should be. */
  readonly limit?: number;
  readonly goal?: number;
}

export function ratio(
  ours: Score,
  theirs: Score,
  bounds: { readonly limit?: number; readonly goal?: number } = {},
): Ratio {
  const perRound = ours.cpu.map((cpu, round) => cpu / (theirs.cpu[round] ?? Number.NaN));
  return { to: theirs.name, perRound, median: median(perRound), ...bounds };
}

/** A run counts as clean with every call answered, nearly all at once, at nearly the rate asked. */
const SENT_AGAIN = 0.01;
const RATE_REACHED = 0.9;
/** With more failures than this a rate isn't tried again. */
const FAILED = 0.01;
/** How far apart two rates of the search are. */
const STEP = 1.6;
const HIGHEST = 40_000;

/**
 * The highest rate tried at which nothing failed, from the rate of the rounds upwards; between the
 * last clean one and the first that failed one more is tried.
 */
export async function highestRate(
  { load, rate: first }: Contender,
  { failed: failedBefore }: Score,
  seconds: number,
): Promise<number> {
  const isClean = async (rate: number, again = true): Promise<boolean> => {
    const count = Math.ceil(rate * seconds);
    const { failed, retransmissions, rate: reached } = await load(rate, count);
    if (failed === 0 && retransmissions < count * SENT_AGAIN && reached > rate * RATE_REACHED) {
      return true;
    }
    // A machine that others use fails by itself now and then: what nearly works is tried once more.
    return again && failed < count * FAILED && (await isClean(rate, false));
  };
  let clean = failedBefore === 0 ? first : 0;
  for (let rate = Math.round(first * STEP); rate < HIGHEST; rate = Math.round(rate * STEP)) {
    if (!(await isClean(rate))) {
      const between = Math.round((clean + rate) / 2);
      return (await isClean(between)) ? between : clean;
    }
    clean = rate;
  }
  return clean;
}

/** Prints the scores, with one more column where there is one more figure. */
export function printScores<T extends Score>(
  scores: readonly T[],
  unit: string,
  extra: { readonly heading: string; cell(score: T): string } | undefined = undefined,
): void {
  const headings = ["", `CPU µs a ${unit}`, "failed", "sent again", "peak MB"];
  const rows = scores.map((score) => [
    score.name,
    spread(median(score.cpu), score.cpu),
    number(score.failed),
    number(score.retransmissions),
    megabytes(score.memory),
  ]);
  if (extra !== undefined) {
    headings.push(extra.heading);
    for (const [i, score] of scores.entries()) rows[i]?.push(extra.cell(score));
  }
  printTable(headings, rows);
}

export function printRatios(ours: string, ratios: readonly Ratio[]): void {
  if (ratios.length === 0) return;
  console.log("");
  printTable(
    ["CPU, ratio within a round", "median", "at most", "goal"],
    ratios.map(({ to, perRound, median: middle, limit, goal }) => [
      `${ours} / ${to}`,
      spread(middle, perRound, 2),
      limit === undefined ? "" : number(limit, 1),
      goal === undefined ? "" : number(goal, 1),
    ]),
  );
}
