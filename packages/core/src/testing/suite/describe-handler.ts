import type { AnyHandler } from "../../chain/handler.ts";
import { checkHostility } from "./check-hostility.ts";
import { checkLife } from "./check-life.ts";
import { checkVerdicts } from "./check-verdicts.ts";
import { HandlerBench } from "./handler-bench.ts";
import type { CreateHandler, HandlerCheck } from "./handler-check.ts";
import type { TestFunctions } from "./test-functions.ts";

/** What a contract suite can't know of a handler. */
export interface HandlerSuiteOptions {
  /**
   * Requests that are none of its business: as for `ask`, without the headers that don't matter. Default: one of a method
   * that nobody has, to somebody of example.com, which is the server's domain. An empty list where it takes everything.
   */
  readonly ignores?: readonly string[];
  /** Requests that it takes: each must be claimed. Default: none. */
  readonly takes?: readonly string[];
  /** Handlers that stand before it, for the facts that it needs; made for each test. */
  readonly before?: () => readonly AnyHandler[];
}

const NOBODYS = "SIPKIT-NOBODYS-METHOD sip:somebody@example.com SIP/2.0";

/**
 * Checks that a handler keeps the contract: it passes on what is not its own, answers what is at most once, survives every
 * message of RFC 4475 and what strangers write into headers, and leaves nothing behind when it is closed.
 *
 * @example
 * import { describe, it } from "vitest";
 * describeHandler("CallScreen", () => new CallScreen({ reputation }), { describe, it }, {
 *   takes: ["INVITE sip:bob@example.com SIP/2.0"],
 *   ignores: ["MESSAGE sip:bob@example.com SIP/2.0"],
 * });
 */
export function describeHandler(
  name: string,
  create: CreateHandler,
  { describe, it }: TestFunctions,
  { ignores = [NOBODYS], takes = [], before = () => [] }: HandlerSuiteOptions = {},
): void {
  const open = async (): Promise<HandlerBench> => new HandlerBench(await create(), before());
  const check: HandlerCheck = (title, run) => {
    it(title, async () => {
      const bench = await open();
      await bench.dispatcher.listen();
      try {
        await run(bench);
      } finally {
        await bench.dispatcher.close();
      }
    });
  };
  describe(`${name} as a handler`, () => {
    checkVerdicts(check, ignores, takes);
    checkHostility(check, takes);
    checkLife(check, it, create, [...ignores, ...takes]);
  });
}
