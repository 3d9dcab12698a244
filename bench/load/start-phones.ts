import type { LoadOrder, LoadReport } from "./phones.ts";
import { type Load, startLoad } from "./start-load.ts";
import type { Transport } from "./wire.ts";

/** Starts `count` phones, users `u0`, `u1` …, in a process of their own. */
export function startPhones(
  transport: Transport,
  port: number,
  count: number,
): Promise<Load<LoadOrder, LoadReport>> {
  return startLoad("phones.ts", [transport, port, count]);
}
