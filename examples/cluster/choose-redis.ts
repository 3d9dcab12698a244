import type { RedisStoreOptions } from "@sipkit/store-redis";

/** The Redis that all nodes share, and how to say so without its password. */
export interface RedisChoice {
  readonly redis: Pick<RedisStoreOptions, "url" | "sentinel">;
  readonly place: string;
}

/** Reads `redis://HOST:PORT`, or `sentinel:GROUP@HOST:PORT,HOST:PORT`. Throws an `Error` whose message says what is wrong with it. */
export function chooseRedis(choice: string, password: string | undefined): RedisChoice {
  if (/^rediss?:/.test(choice)) {
    const host = URL.canParse(choice) ? new URL(choice).host : "no address";
    return { redis: { url: choice }, place: `Redis at ${host}` };
  }
  const [, name, hosts] = /^sentinel:([^@]+)@(.+)$/.exec(choice) ?? [];
  if (name === undefined || hosts === undefined) {
    throw new Error("--store is redis://HOST:PORT or sentinel:GROUP@HOST:PORT,HOST:PORT");
  }
  const urls = hosts.split(",").map((host) => `redis://${host}`);
  const sentinel = { urls, name, ...(password === undefined ? {} : { password }) };
  return { redis: { sentinel }, place: `Redis, the master of ${name}` };
}
