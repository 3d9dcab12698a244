import { startOf } from "./parse-head.ts";
import { defaultParseLimits, type ParseLimits } from "./parse-limits.ts";
import { Request } from "./request.ts";
import { Response } from "./response.ts";
import { isStatusLine } from "./start-line.ts";
import { Wire } from "./wire.ts";

/**
 * Reads a message: bytes, or a wire string (one character a byte). What every element needs is checked at once: the
 * start line, exactly one From, To, Call-ID and CSeq, a sound topmost Via, the framing; all else when it is read.
 * Throws a `ParseError` whose status is what a request deserves.
 *
 * RFC 3261 §7, §8.1.1, §18.3
 */
export function parsePacket(
  bytes: Uint8Array | string,
  limits: ParseLimits = defaultParseLimits,
): Request | Response {
  const wire = Wire.of(bytes);
  const start = startOf(wire.octets);
  return isStatusLine(wire.octets, start)
    ? Response.read(wire, start, limits)
    : Request.read(wire, start, limits);
}
