import { resolve } from "node:path";
import { type LocationStore, memoryStore } from "@sipkit/registrar";
import { lmdbStore } from "@sipkit/store-lmdb";

/** Where registrations are kept, and how to say so to who starts the server. */
export interface ChosenStore {
  readonly store: LocationStore;
  readonly place: string;
}

/** Opens what `--store` names: `memory` or `lmdb:DIR`. Throws an `Error` whose message says what is wrong with it. */
export function openStore(choice: string): ChosenStore {
  if (choice === "memory") {
    return { store: memoryStore(), place: "memory, as long as the server runs" };
  }
  const [, path] = /^lmdb:(.+)$/.exec(choice) ?? [];
  if (path === undefined) throw new Error("--store is memory or lmdb:DIR");
  return { store: lmdbStore({ path }), place: resolve(path) };
}
