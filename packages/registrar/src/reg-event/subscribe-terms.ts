import { accept, expires, Reject, type Request } from "@sipkit/core";
import type { RegEventsSettings } from "./options.ts";
import { REGINFO } from "./reginfo.ts";

/** Seconds: who asks for so much is never too brief. RFC 6665 §4.2.1.1 */
const NEVER_TOO_BRIEF = 3600;

/**
 * For how many seconds a SUBSCRIBE gets its subscription; 0: it is to end. Throws the `Reject` of what can't be had (406,
 * 423), and a `ParseError`.
 *
 * RFC 6665 §4.2.1.1
 */
export function secondsOf(request: Request, settings: RegEventsSettings): number {
  const { headers } = request;
  const { minExpires, maxExpires, defaultExpires } = settings;
  // RFC 3680 §4.5
  if (headers.has("accept") && !headers.readAll(accept).some(takesRegInfo)) {
    throw new Reject(406, { headers: { Accept: REGINFO } });
  }
  const seconds = headers.read(expires) ?? defaultExpires;
  if (seconds > 0 && seconds < minExpires && seconds < NEVER_TOO_BRIEF) {
    throw new Reject(423, { headers: { "Min-Expires": String(minExpires) } });
  }
  return Math.min(seconds, maxExpires);
}

/** Whether a range of an Accept header has our documents in it. RFC 3261 §20.1 */
function takesRegInfo(range: string): boolean {
  const [type = "", ...params] = range.toLowerCase().split(";");
  if (params.some((param) => /^\s*q\s*=\s*0(?:\.0{0,3})?\s*$/.test(param))) return false;
  return ["*/*", "application/*", REGINFO].includes(type.replace(/\s/g, ""));
}
