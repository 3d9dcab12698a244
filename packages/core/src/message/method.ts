/** A request method: those that the RFCs define, or any other token. Case-sensitive. RFC 3261 §7.1 */
export type Method =
  | "ACK"
  | "BYE"
  | "CANCEL"
  | "INFO"
  | "INVITE"
  | "MESSAGE"
  | "NOTIFY"
  | "OPTIONS"
  | "PRACK"
  | "PUBLISH"
  | "REFER"
  | "REGISTER"
  | "SUBSCRIBE"
  | "UPDATE"
  | (string & Record<never, never>);

const DEFINED: ReadonlySet<Method> = new Set([
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

/** Whether an RFC defines a method. */
export function isDefinedMethod(method: Method): boolean {
  return DEFINED.has(method);
}
