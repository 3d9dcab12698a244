import { describe, expect, it } from "vitest";
import { report } from "./report.ts";
import { runSeed } from "./run-seed.ts";

/** A slice of the soak; `pnpm soak --seeds 2000` runs more. */
const SEEDS = Array.from({ length: 30 }, (_, i) => 1 + i);

describe("phones on a network that loses, partitions and crashes", () => {
  it.each(SEEDS)("come to no harm by seed %i", { timeout: 30_000 }, async (seed) => {
    const result = await runSeed(seed);
    const replay = `replay: pnpm soak --seeds 1 --from ${seed}`;
    expect(result.violations, replay).toEqual([]);
    expect(result.counts.get("REGISTER 200"), replay).toBeGreaterThan(5);
  });

  it("go the same way by the same seed, byte for byte", { timeout: 30_000 }, async () => {
    const [first, second] = [await runSeed(5), await runSeed(5)];
    expect(first.net.log.length).toBeGreaterThan(100);
    expect(report(second)).toBe(report(first));
  });
});
