export { Proxy, type ProxyOptions } from "./proxy.ts";
export { Redirect } from "./redirect.ts";
export type { Fork } from "./target-set.ts";
