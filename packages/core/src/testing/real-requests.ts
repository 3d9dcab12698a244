import { createHook } from "node:async_hooks";
import { readFile } from "node:fs";

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

/** The same of files, as `node:async_hooks` calls it. */
const FILE_REQUESTS: ReadonlySet<string> = new Set([
  "FSREQPROMISE",
  "FSREQCALLBACK",
  "FILEHANDLECLOSEREQ",
]);

/** Those that are under way, by their async ids; only where Node doesn't list them. */
const fileRequests = new Set<number>();

if (!listsFiles()) {
  const forget = (id: number): void => {
    fileRequests.delete(id);
  };
  const callbacks = {
    init: (id: number, type: string): void => {
      if (FILE_REQUESTS.has(type)) fileRequests.add(id);
    },
    after: forget,
    destroy: forget,
    // Files are no promises, and to follow those would slow down everything.
    trackPromises: false,
  };
  createHook(callbacks).enable();
}

/** Whether this process waits for a file or a name: work of the system that ends by itself. */
export function hasRealRequests(): boolean {
  return (
    fileRequests.size > 0 || process.getActiveResourcesInfo().some((name) => REQUESTS.has(name))
  );
}

/** Whether Node lists files that are read whole: from version 26 on it does not. */
function listsFiles(): boolean {
  const before = process.getActiveResourcesInfo().length;
  readFile(new URL(import.meta.url), () => {});
  return process.getActiveResourcesInfo().length > before;
}
