/**
 * What `process.getActiveResourcesInfo` calls reading, writing and closing a file, and looking up a name by
 * `getaddrinfo`. What `node:dns` asks DNS servers isn't listed there by Node, under any name.
 */
const REQUESTS: ReadonlySet<string> = new Set([
  "FSReqPromise",
  "FSReqCallback",
  "CloseReq",
  "GetAddrInfoReqWrap",
]);

/** Whether this process waits for a file or a name: work of the system that ends by itself. */
export function hasRealRequests(): boolean {
  return process.getActiveResourcesInfo().some((name) => REQUESTS.has(name));
}
