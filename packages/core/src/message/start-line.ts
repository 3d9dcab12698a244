import { ParseError } from "../errors.ts";
import { isUriCode } from "./chars.ts";
import { digitsEnd, digitsOf, isSip20, isWord, startsWithWord, tokenEnd } from "./octets.ts";
import type { ParseLimits } from "./parse-limits.ts";
import { schemeEnd } from "./scheme.ts";

const CR = 0x0d;
const SP = 0x20;
const LT = 0x3c;
const GT = 0x3e;
const DOT = 0x2e;
const VERSION_LENGTH = 7;

/** Whether the line is a response's: it begins with the protocol. RFC 3261 §7.2 */
export function isStatusLine(octets: Uint8Array, start: number): boolean {
  return octets[start + 3] === 0x2f && startsWithWord(octets, start, "sip/");
}

function malformed(what: string, offset: number, status: number = 400): ParseError {
  return new ParseError(what, { offset, status });
}

function checkVersion(octets: Uint8Array, start: number, end: number): void {
  if (
    (end - start === VERSION_LENGTH && isSip20(octets, start)) ||
    isWord(octets, start, end, "sip/2.0")
  )
    return;
  const major = digitsEnd(octets, start + 4, end);
  const minor = digitsEnd(octets, major + 1, end);
  const other =
    isStatusLine(octets, start) &&
    major > start + 4 &&
    octets[major] === DOT &&
    minor > major + 1 &&
    minor === end;
  throw other
    ? malformed("SIP version not supported", start, 505)
    : malformed("No SIP version", start);
}

/** Where a request line has its parts: the URI is without brackets. */
export interface RequestLine {
  readonly methodEnd: number;
  readonly uriStart: number;
  readonly uriEnd: number;
}

/** Checks a request line and tells where its parts are. RFC 3261 §7.1 */
export function parseRequestLine(
  octets: Uint8Array,
  start: number,
  end: number,
  limits: ParseLimits,
): RequestLine {
  const methodEnd = tokenEnd(octets, start, end);
  if (methodEnd === start || methodEnd === end || octets[methodEnd] !== SP) {
    throw malformed("Malformed request line", start);
  }
  const version = versionStart(octets, methodEnd, end);
  checkVersion(octets, version, end);
  const uri = methodEnd + 1;
  const uriEnd = version - 1;
  if (uriEnd - uri > limits.uri) throw malformed("Request-URI too long", uri, 414);
  // Deviation: brackets around a request-URI are in no grammar, and in what Net::SIP sends over TCP.
  const bracketed = octets[uri] === LT && octets[uriEnd - 1] === GT;
  const first = bracketed ? uri + 1 : uri;
  const last = bracketed ? uriEnd - 1 : uriEnd;
  checkRequestUri(octets, first, last);
  return { methodEnd, uriStart: first, uriEnd: last };
}

/** Where the version begins: after the last space of the line. */
function versionStart(octets: Uint8Array, methodEnd: number, end: number): number {
  let i = end - VERSION_LENGTH;
  if (i <= methodEnd + 1 || octets[i - 1] !== SP) {
    i = end;
    while (octets[i - 1] !== SP) i--;
    if (i <= methodEnd + 1) throw malformed("Malformed request line", methodEnd);
  }
  return i;
}

function checkRequestUri(octets: Uint8Array, start: number, end: number): void {
  const colon = schemeEnd(octets, start, end);
  if (colon < 0 || colon + 1 === end) throw malformed("Malformed Request-URI", start);
  let i = colon + 1;
  while (isUriCode(octets[i] ?? 0)) i++;
  if (i < end) {
    const space = octets[i] === SP;
    throw malformed(space ? "White space in the Request-URI" : "Malformed Request-URI", i);
  }
}

/** The status of a status line. Its reason phrase begins at `reason`. RFC 3261 §7.2 */
export function parseStatusLine(
  octets: Uint8Array,
  start: number,
  end: number,
): { readonly status: number; readonly reason: number } {
  const space = start + VERSION_LENGTH;
  if (space >= end || octets[space] !== SP) {
    let i = start;
    while (i < end && octets[i] !== SP) i++;
    if (i === end) throw malformed("Malformed status line", start);
    checkVersion(octets, start, i);
  }
  checkVersion(octets, start, space);
  const first = space + 1;
  const last = first + 3;
  const status = last > end ? -1 : digitsOf(octets, first, last, 699);
  if (status < 100 || (last < end && octets[last] !== SP)) {
    throw malformed("Malformed status code", first);
  }
  const reason = Math.min(last + 1, end);
  for (let i = reason; i < end; i++) {
    if (octets[i] === CR) throw malformed("A CR without its LF", i);
  }
  return { status, reason };
}
