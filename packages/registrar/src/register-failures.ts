import { Reject, type Server, SipError } from "@sipkit/core";

/** What a refused REGISTER is counted as in `counters()`. */
const COUNTERS: ReadonlyMap<number, string> = new Map([
  [403, "registrationsOverLimit"],
  [423, "registrationsTooBrief"],
  [500, "registrationsOutOfOrder"],
]);

/** Counts a REGISTER that failed, and gives what is to be thrown: a full store is no fault to report each time. */
export function countedFailure(server: Server, cause: unknown): unknown {
  if (cause instanceof Reject) {
    const counter = COUNTERS.get(cause.status);
    if (counter !== undefined) server.count(counter);
    return cause;
  }
  if (cause instanceof SipError && cause.code === "SIP_STORE_FULL") {
    server.count("registrationsStoreFull");
    return new Reject(500, { reason: "Location Store Full", cause });
  }
  return cause;
}
