/**
 * Phones in a process of their own, so that their work is not the server's: `phones.ts TRANSPORT PORT COUNT`.
 * Told `{ rate, seconds }` by its parent, it registers so often and tells what came of it.
 */
import { Phone } from "./phone.ts";
import type { Transport } from "./wire.ts";

/** What the parent asks for. */
export interface LoadOrder {
  /** Registrations begun in a second. */
  readonly rate: number;
  readonly seconds: number;
}

export interface LoadReport {
  readonly successful: number;
  readonly failed: number;
  /** How long each that was accepted took, the median and the 99th percentile, ms. */
  readonly median: number;
  readonly p99: number;
}

/** How often registrations are begun, ms. */
const TICK = 5;

const [transport, port, count] = process.argv.slice(2);
const phones = await Promise.all(
  Array.from({ length: Number(count) }, (_, i) =>
    Phone.open(`u${i}`, transport as Transport, Number(port)),
  ),
);
process.send?.("ready");
process.on("message", (order: LoadOrder) => {
  void run(order).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit());

async function run({ rate, seconds }: LoadOrder): Promise<LoadReport> {
  const times: number[] = [];
  const open: Promise<void>[] = [];
  const total = rate * seconds;
  let failed = 0;
  let next = 0;
  const register = async (): Promise<void> => {
    const phone = phones[next++ % phones.length];
    // A phone that still waits is one that was too slow.
    if (phone === undefined || phone.isBusy) {
      failed += 1;
      return;
    }
    const began = performance.now();
    if (await phone.register()) times.push(performance.now() - began);
    else failed += 1;
  };
  const began = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, ((performance.now() - began) * rate) / 1_000);
      while (next < due) open.push(register());
      if (next < total) return;
      clearInterval(timer);
      resolve();
    }, TICK);
  });
  await Promise.all(open);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { successful: times.length, failed, median: at(0.5), p99: at(0.99) };
}
