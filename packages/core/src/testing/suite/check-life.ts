import assert from "node:assert/strict";
import type { CreateHandler, HandlerCheck } from "./handler-check.ts";
import { everyKind, Numbered } from "./samples.ts";
import type { TestFunctions } from "./test-functions.ts";

/** That a handler ends when it is told to, and leaves nothing behind. */
export function checkLife(
  check: HandlerCheck,
  it: TestFunctions["it"],
  create: CreateHandler,
  texts: readonly string[],
): void {
  check("keeps nothing alive once all is quiet", async (bench) => {
    const numbered = new Numbered();
    for (const text of [...texts, ...everyKind()]) bench.arrive(numbered.wire(text));
    await bench.rest();
    const alive = Object.entries(bench.dispatcher.stats()).filter(([, count]) => count !== 0);
    assert.deepEqual(alive, []);
  });

  check("leaves no timer when it is closed, whatever it was at", async (bench) => {
    const numbered = new Numbered();
    for (const text of [...texts, ...everyKind()]) bench.arrive(numbered.wire(text));
    await bench.settle();
    await bench.dispatcher.close();
    await bench.settle();
    assert.equal(bench.clock.pending, 0, "timers that are still set");
  });

  check("leaves no timer when it is closed as soon as it has started", async (bench) => {
    await bench.dispatcher.close();
    await bench.settle();
    assert.equal(bench.clock.pending, 0, "timers that are still set");
  });

  it("may be closed before it has started, and twice", async () => {
    const handler = await create();
    if (typeof handler === "function") return;
    await handler.close?.();
    await handler.close?.();
  });

  check("may be closed twice after it has served", async (bench) => {
    for (const text of texts) bench.arrive(new Numbered().wire(text));
    await bench.dispatcher.close();
    await bench.closeHandler();
  });
}
