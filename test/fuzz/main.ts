/**
 * Mutates every vector and lets parser and server have it, until something breaks or the runs are over.
 *
 * Run it:     pnpm fuzz --runs 1000000
 * Replay one: pnpm fuzz parse --seed 42 --path 17:0
 */
import { parseArgs } from "node:util";
import { targets } from "./fuzz.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() & 0x7fff_ffff) },
    path: { type: "string" },
  },
});
const [wanted = "all"] = positionals;
const runs = Number(values.runs);
const seed = Number(values.seed);
const chosen = Object.entries(targets).filter(([name]) => wanted === "all" || name === wanted);
if (chosen.length === 0 || !Number.isSafeInteger(runs) || !Number.isSafeInteger(seed)) {
  throw new Error("usage: pnpm fuzz [parse|server|stream] [--runs N] [--seed N] [--path P]");
}
for (const [name, run] of chosen) {
  // Those take some messages a run, and minutes of virtual time.
  const share = name === "parse" ? runs : Math.ceil(runs / 20);
  process.stdout.write(`${name}: ${share} runs, seed ${seed}\n`);
  const began = performance.now();
  try {
    await run({ runs: share, seed, ...(values.path === undefined ? {} : { path: values.path }) });
    process.stdout.write(
      `${name}: passed in ${((performance.now() - began) / 1000).toFixed(1)} s\n`,
    );
  } catch (error) {
    process.stdout.write(`${name}: FAILED\n${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = 1;
  }
}
const { heapUsed } = process.memoryUsage();
process.stdout.write(`heap at the end: ${(heapUsed / 1_048_576).toFixed(0)} MiB\n`);
