import { afterEach } from "vitest";

/** What is put here is done when the test is over, the last first. */
export const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
