import { SipError } from "../errors.ts";

/** The first versions whose sockets take the option. */
const SINCE: Readonly<Record<number, number>> = { 22: 12, 23: 1 };
const ALWAYS_SINCE = 24;

/** Whether a Node of this version can share a port among processes. */
export function canReusePort(version: string = process.versions.node): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= ALWAYS_SINCE || minor >= (SINCE[major] ?? Number.POSITIVE_INFINITY);
}

/** Throws a `SipError` (`SIP_NO_REUSE_PORT`) where this Node would take the option for none and have the port alone. */
export function checkReusePort(version?: string): void {
  if (canReusePort(version)) return;
  const own = version ?? process.versions.node;
  throw new SipError(
    "SIP_NO_REUSE_PORT",
    `reusePort needs Node 22.12, 23.1 or later, and this is ${own}`,
  );
}
