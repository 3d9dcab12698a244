import type { AnyHandler } from "../../chain/handler.ts";
import type { HandlerBench } from "./handler-bench.ts";

/** Makes a handler as it is used, one for each test. */
export type CreateHandler = () => AnyHandler | Promise<AnyHandler>;

/** One test of a suite: with a handler that has started, and is closed afterwards. */
export type HandlerCheck = (title: string, run: (bench: HandlerBench) => Promise<void>) => void;
