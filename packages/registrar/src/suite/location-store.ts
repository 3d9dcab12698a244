import type { LocationStore } from "../location-store.ts";
import { checkContents } from "./contents.ts";
import { checkExpiry } from "./expiry.ts";
import { checkListing } from "./listing.ts";
import type { Check } from "./samples.ts";
import { checkUpdates } from "./updates.ts";

/** The two functions of a test runner that a contract suite needs: vitest's, Jest's, `node:test`'s. */
export interface TestFunctions {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, run: () => Promise<void>) => unknown;
}

/** Makes an empty store, one for each test; the suite closes it. */
export type CreateLocationStore = () => LocationStore | Promise<LocationStore>;

/**
 * Checks that a `LocationStore` does all that the registrar relies on.
 *
 * @example
 * import { describe, it } from "vitest";
 * describeLocationStore("my store", () => new MyStore(), { describe, it });
 */
export function describeLocationStore(
  name: string,
  create: CreateLocationStore,
  { describe, it }: TestFunctions,
): void {
  const check: Check = (title, run) => {
    it(title, async () => {
      const store = await create();
      try {
        await run(store);
      } finally {
        await store.close?.();
      }
    });
  };
  describe(`${name} as a LocationStore`, () => {
    describe("read and update", () => checkUpdates(check));
    describe("what is kept", () => checkContents(check));
    describe("expiry", () => checkExpiry(check));
    describe("listing", () => checkListing(check));
  });
}
