export type { SentinelOptions } from "./open-client.ts";
export type { RedisStoreOptions } from "./options.ts";
export { type RedisStore, redisStore } from "./redis-store.ts";
