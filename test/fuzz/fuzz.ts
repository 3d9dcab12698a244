import fc from "fast-check";
import { checkParse } from "./check-parse.ts";
import { checkServer } from "./check-server.ts";
import { checkStream } from "./check-stream.ts";
import { corpus, ours } from "./corpus.ts";
import { hostileMessage, mutation } from "./mutations.ts";

/** How much is run, and from where. */
export interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
  /** Where fast-check found a counterexample: replays that one alone. */
  readonly path?: string;
}

/** The targets, by name; each rejects with fast-check's report of the smallest counterexample. */
export const targets = {
  parse: ({ runs, seed, path }: FuzzOptions): Promise<void> =>
    asPromise(() =>
      fc.assert(fc.property(hostileMessage(corpus, 5), checkParse), {
        numRuns: runs,
        seed,
        ...(path === undefined ? {} : { path }),
        reporter: reporterOf("parse"),
      }),
    ),
  server: ({ runs, seed, path }: FuzzOptions): Promise<void> =>
    fc.assert(fc.asyncProperty(ordeal, checkServer), {
      numRuns: runs,
      seed,
      ...(path === undefined ? {} : { path }),
      reporter: reporterOf("server"),
    }),
  stream: ({ runs, seed, path }: FuzzOptions): Promise<void> =>
    fc.assert(fc.asyncProperty(stream, checkStream), {
      numRuns: runs,
      seed,
      ...(path === undefined ? {} : { path }),
      reporter: reporterOf("stream"),
    }),
};

const stream = fc.record({
  messages: fc.array(fc.oneof(hostileMessage(ours, 2), hostileMessage(corpus, 2)), {
    minLength: 1,
    maxLength: 4,
  }),
  cuts: fc.array(fc.nat(10_000), { maxLength: 8 }),
});

const ordeal = fc.record({
  messages: fc.array(
    // Few changes, or hardly any gets as far as a handler.
    fc.oneof(hostileMessage(ours, 2), hostileMessage(corpus, 2)),
    { minLength: 1, maxLength: 12, size: "max" },
  ),
  replies: fc.array(
    fc.record({
      status: fc.constantFrom(100, 180, 200, 302, 401, 408, 480, 486, 503, 600),
      mutations: fc.array(mutation, { maxLength: 2 }),
    }),
    { maxLength: 6 },
  ),
  guarded: fc.boolean(),
});

async function asPromise(run: () => void): Promise<void> {
  run();
}

/** Says how to replay a failure before everything else. */
function reporterOf<T>(target: string): (details: fc.RunDetails<T>) => void {
  return (details) => {
    if (!details.failed) return;
    const { seed, counterexamplePath, errorInstance } = details;
    const replay = `pnpm fuzz ${target} --seed ${seed} --path ${counterexamplePath}`;
    const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
    throw new Error(`replay: ${replay}\n${fc.defaultReportMessage(details) ?? ""}\n${why}`);
  };
}
