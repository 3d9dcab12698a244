/**
 * The benchmarks: `pnpm bench [parse|worst-case|digest|user-timing|register|call|memory|stores|transports|idle|flood|storm|workers|all] [--json FILE]`.
 *
 * Ratios are taken in one run on one machine; absolute figures are that machine's.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { buildPackages } from "./build-packages.ts";
import { benchCall } from "./call.ts";
import { benchFlood } from "./flood.ts";
import { benchIdle } from "./idle.ts";
import { benchRegister } from "./register.ts";
import { benchServedStores } from "./served-stores.ts";
import { benchStorm } from "./storm.ts";
import { benchTransports } from "./transports.ts";
import { Workbench } from "./workbench.ts";
import { benchWorkers } from "./workers.ts";

const BENCHMARKS: Readonly<Record<string, (bench: Workbench) => unknown>> = {
  // These load the packages when they run, once they are built.
  parse: async () => (await import("./parse.ts")).run(),
  "worst-case": async () => (await import("./worst-case.ts")).run(),
  digest: async () => (await import("./digest.ts")).run(),
  "user-timing": async () => (await import("./user-timing.ts")).run(),
  register: benchRegister,
  call: benchCall,
  memory: async () => (await import("./memory.ts")).run(),
  stores: async (bench) => [
    await (await import("./stores.ts")).run(),
    await benchServedStores(bench),
  ],
  transports: benchTransports,
  idle: benchIdle,
  flood: benchFlood,
  storm: benchStorm,
  workers: benchWorkers,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" } },
});
const [wanted = "all"] = positionals;
const chosen = Object.entries(BENCHMARKS).filter(([name]) => wanted === "all" || name === wanted);
if (chosen.length === 0) {
  console.error(`usage: pnpm bench [${Object.keys(BENCHMARKS).join("|")}|all] [--json FILE]`);
  process.exit(2);
}

const machine = {
  processor: cpus()[0]?.model,
  processors: cpus().length,
  node: process.version,
};
console.log(`${machine.processors} × ${machine.processor}, Node ${machine.node}`);

buildPackages();
const bench = new Workbench();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void bench.close().finally(() => process.exit(1));
  });
}
try {
  const figures: Record<string, unknown> = { machine };
  for (const [name, run] of chosen) figures[name] = await run(bench);
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
} finally {
  await bench.close();
}
