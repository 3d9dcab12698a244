import { readFileSync } from "node:fs";
import type { Load } from "./load/start-load.ts";
import { startLoad } from "./load/start-load.ts";
import type { StormOrder, StormReport } from "./load/storm.ts";
import { peakMemory, processorTime } from "./measure.ts";
import { startSipkit } from "./servers/sipkit.ts";
import { megabytes, number, printTable } from "./table.ts";
import { writeHtdigest } from "./users.ts";
import { datagramsLost, type Server, type Workbench } from "./workbench.ts";

const PHONES = 100_000;
const SECONDS = 30;
/** The phones share so many sockets. */
const SOCKETS = 50;
/** What a system allows unless it is told otherwise: `net.core.rmem_max`. */
const RECEIVE_LIMIT = "/proc/sys/net/core/rmem_max";

interface Round extends StormReport {
  readonly what: string;
  /** Bindings in the store afterwards, of so many users. */
  readonly bindings: number;
  /** The server's share of one processor. */
  readonly load: number;
  /** User and system time of the server for one registration, µs. */
  readonly cpu: number;
  /** Peak memory of the server until then, bytes. */
  readonly memory: number;
  /** Datagrams that the kernel had no room for. */
  readonly lost: number;
}

export interface StormFigures {
  readonly phones: number;
  readonly seconds: number;
  readonly rounds: readonly Round[];
}

/** All phones register within half a minute, as after a power cut: first as new ones, then again. */
export async function benchStorm(bench: Workbench): Promise<StormFigures> {
  console.log(
    `\nbench storm: ${number(PHONES)} phones register by REGISTER, 401, REGISTER, 200 within ${SECONDS} s over UDP, ` +
      `${number(PHONES / SECONDS)}/s, and repeat what isn't answered after 0.5, 1, 2, 4, 4 … s, for 32 s.\n` +
      "sipkit is examples/registrar on the built packages. The phones share the processors with it.",
  );
  const htdigest = writeHtdigest(bench, PHONES);
  const rounds: Round[] = [];
  for (const store of [`lmdb:${bench.file("storm-data")}`, "memory"]) {
    const server = await startSipkit(bench, "sipkit", [
      ...["--htdigest", htdigest, "--max-expires", "3600", "--store", store],
    ]);
    const storm = await startLoad<StormOrder, StormReport>("storm-main.ts", [server.port, SOCKETS]);
    const [name] = store.split(":");
    try {
      rounds.push(await measure(server, storm, `${name}, new phones`));
      rounds.push(await measure(server, storm, `${name}, the same again`));
    } finally {
      storm.stop();
      await server.stop();
    }
    if (name === "lmdb") await checkStore(bench.file("storm-data"));
  }
  report(rounds);
  return { phones: PHONES, seconds: SECONDS, rounds };
}

async function measure(
  server: Server,
  storm: Load<StormOrder, StormReport>,
  what: string,
): Promise<Round> {
  const pids = server.pids();
  const before = { cpu: processorTime(pids), lost: datagramsLost(server.port) };
  const began = performance.now();
  const report = await storm.load({ first: 0, count: PHONES, rate: PHONES / SECONDS });
  const used = processorTime(pids) - before.cpu;
  return {
    ...report,
    what,
    bindings: boundUsers(server.output()),
    load: used / 1_000 / (performance.now() - began),
    cpu: used / PHONES,
    memory: peakMemory(pids),
    lost: datagramsLost(server.port) - before.lost,
  };
}

/** How many users have a binding by what the server has printed of each. */
function boundUsers(output: string): number {
  const bound = new Set<string>();
  for (const [, what, user = ""] of output.matchAll(/^(\w+) sip:(u\d+)@/gm)) {
    if (what === "added" || what === "refreshed") bound.add(user);
    else bound.delete(user);
  }
  return bound.size;
}

/** Throws unless what is on the disk after the server's end is everybody's binding. */
async function checkStore(path: string): Promise<void> {
  // Loaded once the packages are built.
  const { lmdbStore } = await import("@sipkit/store-lmdb");
  const store = lmdbStore({ path });
  const { users } = store;
  let bindings = 0;
  for (let user = 0; user < PHONES; user += 1) {
    bindings += store.read(`sip:u${user}@example.com`)?.length ?? 0;
  }
  await store.close();
  console.log(
    `  lmdb after its server's end: ${number(users)} users, ${number(bindings)} bindings`,
  );
}

function report(rounds: readonly Round[]): void {
  const rows: readonly (readonly [string, (round: Round) => string])[] = [
    ["answered 200", ({ successful }) => number(successful)],
    ["lost: refused, or no answer in 32 s", ({ failed }) => number(failed)],
    ["users with a binding afterwards", ({ bindings }) => number(bindings)],
    ["registrations begun a second", ({ rate }) => number(rate)],
    ["requests sent again", ({ retransmissions }) => number(retransmissions)],
    ["datagrams the kernel had no room for", ({ lost }) => number(lost)],
    ["a registration takes, median, ms", ({ median }) => number(median, 1)],
    ["99th percentile, ms", ({ p99 }) => number(p99, 1)],
    ["longest wait for an answer, ms", ({ longestAnswer }) => number(longestAnswer)],
    ["CPU µs a registration", ({ cpu }) => number(cpu)],
    ["share of one processor", ({ load }) => number(load, 2)],
    ["peak MB", ({ memory }) => megabytes(memory)],
  ];
  printTable(
    ["", ...rounds.map(({ what }) => what)],
    rows.map(([name, cell]) => [name, ...rounds.map(cell)]),
  );
  const limit = Number(readFileSync(RECEIVE_LIMIT, "latin1"));
  console.log(`  net.core.rmem_max: ${number(limit)} bytes; sipkit asks for 4,194,304`);
}
