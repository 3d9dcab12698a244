import { availableParallelism } from "node:os";
import { canReusePort } from "../packages/core/src/transport/reuse-port.ts";
import { type Contender, compete, highestRate, printScores, type Score } from "./contest.ts";
import type { InProcessOrder, InProcessReport } from "./load/in-process.ts";
import { startLoad } from "./load/start-load.ts";
import type { StormOrder, StormReport } from "./load/storm.ts";
import { startSipkit } from "./servers/sipkit.ts";
import { startWorkers } from "./servers/workers.ts";
import { median } from "./statistics.ts";
import { number, printTable, spread } from "./table.ts";
import { writeHtdigest } from "./users.ts";
import type { Server, Workbench } from "./workbench.ts";

/** Registrations of each process in a round without a network, and phones that it has. */
const REGISTRATIONS = 10_000;
const ROUNDS = 5;
const GOAL = 1.8;

const USERS = 40_000;
/** Registrations a second of all workers together: the more come at once, the more share a commit. */
const RATES = [1_000, 3_000] as const;
const SECONDS = 3;
const SECONDS_OF_SEARCH = 2;
const SOCKETS = 50;

export interface InProcessFigures {
  /** Registrations a second, in each round: of one process, and of two at once together. */
  readonly alone: readonly number[];
  readonly together: readonly number[];
  /** Processor time of a registration, µs. */
  readonly cpuAlone: readonly number[];
  readonly cpuTogether: readonly number[];
  /** Together over alone, the median of the rounds. */
  readonly ratio: number;
}

export interface WorkersFigures {
  readonly inProcess: InProcessFigures;
  readonly overUdp?: readonly UdpScore[];
}

/** At one rate; the highest rate is looked for once. */
export interface UdpScore extends Score {
  readonly highestRate?: number;
}

/** What two workers do that share a store in lmdb, beside one. */
export async function benchWorkers(bench: Workbench): Promise<WorkersFigures> {
  console.log(
    `\nbench workers: digest registrations on one store in lmdb, by one process and two.`,
  );
  const inProcess = await withoutNetwork(bench.file("workers-data"));
  if (!canReusePort()) {
    console.log(
      `  Left out: workers that share a port. They need Node 22.12 or later; this is ${process.version}.`,
    );
    return { inProcess };
  }
  return { inProcess, overUdp: await overUdp(bench) };
}

async function withoutNetwork(folder: string): Promise<InProcessFigures> {
  console.log(
    `\nWithout a network, each process with ${number(REGISTRATIONS)} phones of its own, ${ROUNDS} rounds by turns; ` +
      `${availableParallelism()} processors.`,
  );
  const start = (first: number) =>
    startLoad<InProcessOrder, InProcessReport>("in-process.ts", [folder, first]);
  const processes = [await start(0), await start(REGISTRATIONS)];
  const order = { count: REGISTRATIONS };
  const figures = { alone: [], together: [], cpuAlone: [], cpuTogether: [] } as {
    [Key in "alone" | "together" | "cpuAlone" | "cpuTogether"]: number[];
  };
  try {
    // The first round meets code that is not compiled yet, and users who aren't in the store.
    for (let round = -1; round < ROUNDS; round += 1) {
      const one = await processes[Math.abs(round) % 2]?.load(order);
      const began = performance.now();
      const both = await Promise.all(processes.map((process) => process.load(order)));
      const took = performance.now() - began;
      if (one === undefined || round < 0) continue;
      figures.alone.push((1_000 * REGISTRATIONS) / one.took);
      figures.together.push((2_000 * REGISTRATIONS) / took);
      figures.cpuAlone.push(one.cpu / REGISTRATIONS);
      figures.cpuTogether.push(both.reduce((sum, { cpu }) => sum + cpu, 0) / (2 * REGISTRATIONS));
    }
  } finally {
    for (const process of processes) process.stop();
  }
  const { alone, together, cpuAlone, cpuTogether } = figures;
  const ratios = together.map((rate, round) => rate / (alone[round] ?? Number.NaN));
  printTable(
    ["", "registrations/s", "CPU µs each"],
    [
      ["one process", spread(median(alone), alone), spread(median(cpuAlone), cpuAlone)],
      ["two at once", spread(median(together), together), spread(median(cpuTogether), cpuTogether)],
    ],
  );
  console.log(`  two / one: ${spread(median(ratios), ratios, 2)}, goal ${GOAL}`);
  return { ...figures, ratio: median(ratios) };
}

async function overUdp(bench: Workbench): Promise<readonly UdpScore[]> {
  console.log(
    `\nOver UDP, ${RATES.map((rate) => `${number(rate)}/s`).join(" and ")}, ${ROUNDS} rounds of ${SECONDS} s by turns. The phones share the processors with ` +
      "the servers: the highest rates are those of all together.",
  );
  const htdigest = writeHtdigest(bench, USERS);
  const options = (name: string): readonly string[] => [
    ...["--htdigest", htdigest, "--max-expires", "3600", "--store", `lmdb:${bench.file(name)}`],
  ];
  const servers = [
    await startSipkit(bench, "examples/registrar", options("registrar-data")),
    await startWorkers(bench, "one worker", 1, options("one-data")),
    await startWorkers(bench, "two workers", 2, options("two-data")),
  ];
  const storms = [];
  const contenders: Omit<Contender, "rate">[] = [];
  for (const server of servers) {
    const storm = await startLoad<StormOrder, StormReport>("storm-main.ts", [server.port, SOCKETS]);
    storms.push(storm);
    contenders.push({ server, load: (rate, count) => storm.load({ first: 0, count, rate }) });
  }
  try {
    const all: UdpScore[] = [];
    for (const rate of RATES) {
      const taking = contenders.map((contender) => ({ ...contender, rate }));
      // What each of two workers has to do.
      const half = taking.slice(1, 2).map(({ server, load }) => {
        return {
          server: { ...server, name: `${server.name}, ${number(rate / 2)}/s` },
          load,
          rate: rate / 2,
        };
      });
      const scores = await compete([...half, ...taking], { rounds: ROUNDS, seconds: SECONDS });
      console.log(`\n${number(rate)}/s`);
      printScores(scores, "registration");
      all.push(...scores);
    }
    const highest = await highestRates(contenders, all.slice(-contenders.length));
    sayWhoServed(servers);
    return [...all.slice(0, -contenders.length), ...highest];
  } finally {
    for (const storm of storms) storm.stop();
    for (const server of servers) await server.stop();
  }
}

async function highestRates(
  contenders: readonly Omit<Contender, "rate">[],
  scores: readonly Score[],
): Promise<readonly UdpScore[]> {
  const found: UdpScore[] = [];
  for (const [i, score] of scores.entries()) {
    const contender = { ...(contenders[i] as Contender), rate: score.rate };
    const rate = await highestRate(contender, score, SECONDS_OF_SEARCH);
    console.log(`  ${score.name}: ${number(rate)}/s at most`);
    found.push({ ...score, highestRate: rate });
  }
  return found;
}

/** How the kernel dealt the phones among the workers. */
function sayWhoServed(servers: readonly Server[]): void {
  const lines = [
    ...(servers
      .at(-1)
      ?.output()
      .matchAll(/^(\d): (?:added|refreshed) /gm) ?? []),
  ];
  const first = lines.filter(([, worker]) => worker === "0").length;
  const share = number((100 * first) / lines.length);
  console.log(`  of the two workers, the first did ${share} % of ${number(lines.length)}`);
}
