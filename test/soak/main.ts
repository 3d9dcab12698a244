/**
 * Runs many seeds of the soak.
 *
 * Run it:     pnpm soak --seeds 2000 --from 1
 * Replay one: pnpm soak --seeds 1 --from 42
 */
import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { report } from "./report.ts";
import { runSeed } from "./run-seed.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    out: { type: "string", default: "soak-failures" },
  },
});
const first = Number(values.from);
const count = Number(values.seeds);
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
  throw new Error("--seeds and --from are whole numbers");
}

const began = performance.now();
const totals = new Map<string, number>();
const failed: number[] = [];
let messages = 0;
for (let seed = first; seed < first + count; seed++) {
  const result = await runSeed(seed);
  messages += result.net.log.length;
  for (const [what, times] of result.counts) totals.set(what, (totals.get(what) ?? 0) + times);
  if (result.violations.length > 0) {
    failed.push(seed);
    await mkdir(values.out, { recursive: true });
    const file = `${values.out}/seed-${seed}.txt`;
    await writeFile(file, report(result));
    print(`seed ${seed} FAILED:\n  ${result.violations.join("\n  ")}`);
    print(`  the whole run: ${file}\n  replay: pnpm soak --seeds 1 --from ${seed}`);
  }
  const done = seed - first + 1;
  if (done % 50 === 0 || done === count) print(`${done} of ${count} seeds, ${each(done)} ms each`);
}
print(
  `${messages} messages; ${[...totals]
    .sort()
    .map(([what, n]) => `${what}: ${n}`)
    .join(", ")}`,
);
print(failed.length === 0 ? "all seeds passed" : `failed: ${failed.join(", ")}`);
if (failed.length > 0) process.exitCode = 1;

function each(done: number): string {
  return ((performance.now() - began) / done).toFixed(0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
