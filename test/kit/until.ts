import { setImmediate } from "node:timers/promises";

/** Waits for what the system's sockets bring, turn by turn of the event loop. The test's own time limit ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}
