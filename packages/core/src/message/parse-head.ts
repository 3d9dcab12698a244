import { Buffer, isAscii } from "node:buffer";
import { ParseError } from "../errors.ts";
import { digitsOf, isToken, skipSpace, trimSpace } from "./chars.ts";
import { Head } from "./head.ts";
import { cseqDigits } from "./header/cseq.ts";
import { checkVia } from "./header/via.ts";
import { EIGHT_BIT, FOLDED, HeaderLine } from "./header-line.ts";
import { HeaderLines } from "./header-lines.ts";
import {
  CALL_ID,
  CONTENT_LENGTH,
  CSEQ,
  FROM,
  headerName,
  ID_OF_STATE,
  NAME_CLASS,
  NAME_END,
  NAME_START,
  NEXT,
  TO,
  VIA,
} from "./header-names.ts";
import { checkNameAddr } from "./name-addr.ts";
import type { ParseLimits } from "./parse-limits.ts";
import { isAsciiText } from "./utf8.ts";
import { valueEnd } from "./value-list.ts";

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const MAX_CSEQ = 2147483647;

/** A message's bytes as a wire string: one character a byte. */
export function wireText(bytes: Uint8Array | string): string {
  if (typeof bytes === "string") return bytes;
  return Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length);
}

/** Where the start line begins: empty lines before it are skipped. RFC 3261 §7.5 */
export function startOf(text: string): number {
  let i = 0;
  while (text.charCodeAt(i) === CR || text.charCodeAt(i) === LF) i++;
  return i;
}

/** The end of the line that begins at `start`, its line end left out; throws when the text ends before it does. */
export function lineEnd(text: string, start: number): number {
  const lf = text.indexOf("\n", start);
  if (lf < 0) throw new ParseError("The message ends within its head", { offset: text.length });
  return text.charCodeAt(lf - 1) === CR && lf > start ? lf - 1 : lf;
}

/** Where the line after the one that ends at `end` begins. */
function nextLine(text: string, end: number): number {
  return text.charCodeAt(end) === CR ? end + 2 : end + 1;
}

/** Reads the headers and finds the body. `method` is the request's, which CSeq must repeat. */
export function parseHead(
  bytes: Uint8Array | string,
  text: string,
  start: number,
  startLineEnd: number,
  method: string | undefined,
  limits: ParseLimits,
): Head {
  const headersStart = nextLine(text, startLineEnd);
  const ascii = typeof bytes === "string" ? isAsciiText(bytes) : isAscii(bytes);
  const lines: HeaderLine[] = [];
  const bodyStart = readLines(text, headersStart, ascii ? 0 : EIGHT_BIT, lines, limits);
  if (bodyStart - start > limits.head)
    throw new ParseError("Message head too large", { status: 513 });
  const contentLength = checkLines(lines, method);
  let bodyEnd = text.length;
  if (contentLength >= 0) {
    bodyEnd = bodyStart + contentLength;
    // §18.3: a datagram that ends before its body does is refused, what follows the body is cut.
    if (bodyEnd > text.length) {
      throw new ParseError("Body shorter than Content-Length", { header: "Content-Length" });
    }
  }
  return new Head(text, start, headersStart, bodyStart, bodyEnd, new HeaderLines(lines));
}

/** Reads the header lines and tells where the body begins. */
function readLines(
  text: string,
  headersStart: number,
  flags: number,
  lines: HeaderLine[],
  limits: ParseLimits,
): number {
  let start = headersStart;
  for (;;) {
    const code = text.charCodeAt(start);
    if (code === CR && text.charCodeAt(start + 1) === LF) return start + 2;
    if (code === LF) return start + 1;
    let state = NAME_START;
    let i = start;
    let column = NAME_CLASS[text.charCodeAt(i)] ?? 0;
    while (column < NAME_END) {
      state = NEXT[state * 32 + column] ?? 0;
      column = NAME_CLASS[text.charCodeAt(++i)] ?? 31;
    }
    const nameEnd = i;
    if (text.charCodeAt(i) !== COLON) i = skipSpace(text, i, text.length);
    if (nameEnd === start || text.charCodeAt(i) !== COLON) {
      lineEnd(text, start);
      throw new ParseError("Malformed header name", { offset: i });
    }
    const valueStart = skipSpace(text, i + 1, text.length);
    let end = lineEnd(text, valueStart);
    let next = nextLine(text, end);
    let lineFlags = flags;
    while (text.charCodeAt(next) === 0x20 || text.charCodeAt(next) === 0x09) {
      lineFlags |= FOLDED;
      end = lineEnd(text, next);
      next = nextLine(text, end);
    }
    if (end - start > limits.line) throw new ParseError("Header line too long", { offset: start });
    if (lines.length === limits.headers)
      throw new ParseError("Too many headers", { offset: start });
    lines.push(new HeaderLine(ID_OF_STATE[state] ?? 0, lineFlags, text, start, valueStart, end));
    start = next;
  }
}

/** Checks the headers that every message needs and gives the Content-Length, -1 when there is none. */
function checkLines(lines: readonly HeaderLine[], method: string | undefined): number {
  let via: HeaderLine | undefined;
  let from: HeaderLine | undefined;
  let to: HeaderLine | undefined;
  let callId: HeaderLine | undefined;
  let cseq: HeaderLine | undefined;
  let contentLength = -1;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as HeaderLine;
    switch (line.id) {
      case VIA:
        via ??= line;
        break;
      case FROM:
        if (from !== undefined) throw twice(line);
        from = line;
        break;
      case TO:
        if (to !== undefined) throw twice(line);
        to = line;
        break;
      case CALL_ID:
        if (callId !== undefined) throw twice(line);
        callId = line;
        break;
      case CSEQ:
        if (cseq !== undefined) throw twice(line);
        cseq = line;
        break;
      case CONTENT_LENGTH:
        contentLength = sameLength(line, contentLength);
        break;
      default:
        break;
    }
  }
  if (via === undefined) throw missing("Via");
  if (from === undefined) throw missing("From");
  if (to === undefined) throw missing("To");
  if (callId === undefined) throw missing("Call-ID");
  if (cseq === undefined) throw missing("CSeq");
  checkTopmostVia(via);
  checkAddress(from);
  checkAddress(to);
  checkCallId(callId);
  checkCseq(cseq, method);
  return contentLength;
}

function twice(line: HeaderLine): ParseError {
  const header = headerName(line.id);
  return new ParseError(`More than one ${header}`, { header, offset: line.start });
}

function missing(header: string): ParseError {
  return new ParseError(`Missing ${header}`, { header });
}

function sameLength(line: HeaderLine, before: number): number {
  const value = line.wireValue;
  const length = digitsOf(value, 0, value.length, Number.MAX_SAFE_INTEGER);
  const fault = { header: "Content-Length", offset: line.start };
  if (length < 0) throw new ParseError("Malformed Content-Length", fault);
  if (before >= 0 && before !== length) throw new ParseError("More than one Content-Length", fault);
  return length;
}

function checkTopmostVia(line: HeaderLine): void {
  if ((line.flags & FOLDED) === 0) {
    checkVia(line.text, line.valueStart, valueEnd(line.text, line.valueStart, line.end));
  } else {
    const value = line.wireValue;
    checkVia(value, 0, valueEnd(value, 0, value.length));
  }
}

function checkAddress(line: HeaderLine): void {
  const header = headerName(line.id);
  if ((line.flags & FOLDED) === 0) checkNameAddr(line.text, line.valueStart, line.end, header);
  else checkNameAddr(line.wireValue, 0, line.wireValue.length, header);
}

function checkCallId(line: HeaderLine): void {
  const value = line.wireValue;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code <= 0x20 || code === 0x7f) {
      throw new ParseError("Malformed Call-ID", { header: "Call-ID", offset: line.start });
    }
  }
  if (value === "")
    throw new ParseError("Empty Call-ID", { header: "Call-ID", offset: line.start });
}

function checkCseq(line: HeaderLine, method: string | undefined): void {
  const value = line.wireValue;
  const fault = { header: "CSeq", offset: line.start };
  const digits = cseqDigits(value, 0, value.length);
  // §8.1.1.5: below 2³¹.
  if (digitsOf(value, 0, digits, MAX_CSEQ) < 0)
    throw new ParseError("Malformed CSeq number", fault);
  const first = skipSpace(value, digits, value.length);
  if (first === digits || !isToken(value, first, trimSpace(value, first, value.length))) {
    throw new ParseError("Malformed CSeq", fault);
  }
  if (method !== undefined && value.slice(first) !== method) {
    throw new ParseError("CSeq method differs from the request's", fault);
  }
}
