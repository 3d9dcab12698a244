import { startOf } from "./parse-head.ts";
import { defaultParseLimits, type ParseLimits } from "./parse-limits.ts";
import { Request } from "./request.ts";
import { Response } from "./response.ts";
import { isStatusLine } from "./start-line.ts";
import { Wire } from "./wire.ts";

/**
 * Reads a message: bytes, or a wire string (one character a byte). It finds the start line, the header lines and the
 * body, and throws a `ParseError` with the status that is owed where it can't: another version's start line, a line
 * that is no header, framing that doesn't add up, something over a limit. What the headers say is read when it is asked
 * for; {@link validate} checks what a server must.
 *
 * RFC 3261 §7, §18.3
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
