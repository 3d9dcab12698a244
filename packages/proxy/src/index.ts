export { Proxy, type ProxyOptions } from "./proxy.ts";
export { Redirect } from "./redirect.ts";
export { StatelessProxy, type StatelessProxyOptions } from "./stateless-proxy.ts";
export type { Fork } from "./target-set.ts";
