import type { Method } from "@sipkit/core";

/** The methods that the RFCs define. */
const KNOWN: ReadonlySet<string> = new Set([
  "ACK",
  "BYE",
  "CANCEL",
  "INFO",
  "INVITE",
  "MESSAGE",
  "NOTIFY",
  "OPTIONS",
  "PRACK",
  "PUBLISH",
  "REFER",
  "REGISTER",
  "SUBSCRIBE",
  "UPDATE",
]);

/** What all other methods are called: a stranger invents as many as he likes, and each would be a time series. */
const OTHER = "_OTHER";

/** A method as the value of an attribute. */
export function methodName(method: Method): string {
  return KNOWN.has(method) ? method : OTHER;
}
