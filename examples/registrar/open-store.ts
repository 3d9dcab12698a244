import { resolve } from "node:path";
import { type LocationStore, memoryStore } from "@sipkit/registrar";
import { lmdbStore } from "@sipkit/store-lmdb";
import { redisStore } from "@sipkit/store-redis";

/** Where registrations are kept, and how to say so to who starts the server. */
export interface ChosenStore {
  readonly store: LocationStore;
  readonly place: string;
}

/** Opens what `--store` names: `memory`, `lmdb:DIR` or the URL of a Redis server. Throws an `Error` whose message says what is wrong with it. */
export function openStore(choice: string): ChosenStore {
  if (choice === "memory") {
    return { store: memoryStore(), place: "memory, as long as the server runs" };
  }
  if (/^rediss?:/.test(choice)) {
    return { store: redisStore({ url: choice }), place: `Redis at ${hostOf(choice)}` };
  }
  const [, path] = /^lmdb:(.+)$/.exec(choice) ?? [];
  if (path === undefined) throw new Error("--store is memory, lmdb:DIR or redis://HOST:PORT");
  return { store: lmdbStore({ path }), place: resolve(path) };
}

/** Without the password. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "no address";
}
