import { expect, it } from "vitest";
import { targets } from "./fuzz.ts";

/** Another one each time, unless `FUZZ_SEED` says which. This is a slice: `pnpm fuzz` runs more. */
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 0x7fff_ffff));

it.each([
  ["parse", 3000],
  ["server", 100],
  ["stream", 40],
] as const)(
  `%s takes whatever comes, seed ${SEED}`,
  async (name, runs) => {
    const run = targets[name]({ runs, seed: SEED });
    // The error that it rejects with says how to replay it.
    await expect(run).resolves.toBeUndefined();
  },
  120_000,
);
