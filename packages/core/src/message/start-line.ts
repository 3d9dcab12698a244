import { ParseError } from "../errors.ts";
import { digitsOf, isToken, isWord } from "./chars.ts";
import type { ParseLimits } from "./parse-limits.ts";
import { isUriCode, schemeEnd } from "./uri.ts";

const SP = 0x20;
const MAX_METHOD = 64;

/** Whether the line is a response's: it begins with the protocol. RFC 3261 §7.2 */
export function isStatusLine(text: string, start: number): boolean {
  return isWord(text, start, start + 4, "SIP/");
}

function malformed(what: string, offset: number, status: number = 400): ParseError {
  return new ParseError(what, { offset, status });
}

function checkVersion(text: string, start: number, end: number): void {
  if (text.startsWith("SIP/2.0", start) && end - start === 7) return;
  if (isWord(text, start, end, "SIP/2.0")) return;
  const dot = text.indexOf(".", start);
  const other =
    isStatusLine(text, start) &&
    digitsOf(text, start + 4, dot, 999) >= 0 &&
    digitsOf(text, dot + 1, end, 999) >= 0;
  throw other
    ? malformed("SIP version not supported", start, 505)
    : malformed("No SIP version", start);
}

/** The request-URI of a request line, without brackets, and the method before it. RFC 3261 §7.1 */
export function parseRequestLine(
  text: string,
  start: number,
  end: number,
  limits: ParseLimits,
): { readonly method: string; readonly uri: string } {
  const methodEnd = text.indexOf(" ", start);
  if (methodEnd < 0 || methodEnd >= end || !isToken(text, start, methodEnd)) {
    throw malformed("Malformed request line", start);
  }
  if (methodEnd - start > MAX_METHOD) throw malformed("Method too long", start);
  const version = text.lastIndexOf(" ", end - 1) + 1;
  if (version - 1 === methodEnd) throw malformed("Malformed request line", methodEnd);
  checkVersion(text, version, end);
  const uri = methodEnd + 1;
  const uriEnd = version - 1;
  if (uriEnd - uri > limits.uri) throw malformed("Request-URI too long", uri, 414);
  // Deviation: brackets around a request-URI are in no grammar, and in what Net::SIP sends over TCP.
  const bracketed = text.charCodeAt(uri) === 0x3c && text.charCodeAt(uriEnd - 1) === 0x3e;
  const first = bracketed ? uri + 1 : uri;
  const last = bracketed ? uriEnd - 1 : uriEnd;
  checkRequestUri(text, first, last);
  return { method: text.slice(start, methodEnd), uri: text.slice(first, last) };
}

function checkRequestUri(text: string, start: number, end: number): void {
  const colon = schemeEnd(text, start, end);
  if (colon < 0 || colon + 1 === end) throw malformed("Malformed Request-URI", start);
  let at = -1;
  let question = -1;
  for (let i = colon + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!isUriCode(code)) {
      throw malformed(code === SP ? "White space in the Request-URI" : "Malformed Request-URI", i);
    }
    if (code === 0x40 && at < 0) at = i;
    else if (code === 0x3f) question = i;
  }
  // §19.1.1: a SIP request-URI has no headers part. Before the at sign a question mark is the user's.
  const length = colon - start;
  const sip =
    isWord(text, start, colon, "sip") || (length === 4 && isWord(text, start, colon, "sips"));
  if (sip && question > at) throw malformed("Headers in the Request-URI", question);
}

/** The status of a status line. Its reason phrase begins at `reason`. RFC 3261 §7.2 */
export function parseStatusLine(
  text: string,
  start: number,
  end: number,
): { readonly status: number; readonly reason: number } {
  const space = text.indexOf(" ", start);
  if (space < 0 || space >= end) throw malformed("Malformed status line", start);
  checkVersion(text, start, space);
  const first = space + 1;
  const last = first + 3;
  const status = last > end ? -1 : digitsOf(text, first, last, 699);
  if (status < 100 || (last < end && text.charCodeAt(last) !== SP)) {
    throw malformed("Malformed status code", first);
  }
  return { status, reason: Math.min(last + 1, end) };
}
