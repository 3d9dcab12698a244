import { ParseError, type ParseErrorOptions } from "../errors.ts";
import { isSpace } from "./chars.ts";
import { Head } from "./head.ts";
import { HeaderLine } from "./header-line.ts";
import { HeaderLines } from "./header-lines.ts";
import { CONTENT_LENGTH, headerName, ID_BITS, matchName } from "./header-names.ts";
import { LineIndex } from "./line-index.ts";
import { digitsOf, skipSpace } from "./octets.ts";
import type { ParseLimits } from "./parse-limits.ts";
import type { Wire } from "./wire.ts";

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;

/** Where the start line begins: empty lines before it are skipped. RFC 3261 §7.5 */
export function startOf(octets: Uint8Array): number {
  let i = 0;
  while (octets[i] === CR || octets[i] === LF) i++;
  return i;
}

/** The end of the line that begins at `start`, its line end left out; throws when the text ends before it does. */
export function lineEnd(text: string, start: number): number {
  const lf = text.indexOf("\n", start);
  if (lf < 0) throw endsEarly(text);
  return lf > start && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf;
}

/** Finds the headers and the body. What the headers say is not looked at, Content-Length apart. */
export function parseHead(
  wire: Wire,
  start: number,
  startLineEnd: number,
  limits: ParseLimits,
): Head {
  const { text, octets } = wire;
  const headersStart = octets[startLineEnd] === CR ? startLineEnd + 2 : startLineEnd + 1;
  const headers = readLines(wire, headersStart, limits);
  const bodyStart = emptyLine(octets, headers.lines[headers.lines.length - 1]?.end ?? headersStart);
  if (bodyStart - start > limits.head) {
    throw new ParseError("Message head too large", { status: 513 });
  }
  const length = contentLengthOf(headers);
  // §18.3: a datagram that ends before its body does is refused, what follows the body is cut.
  const bodyEnd = length < 0 ? text.length : bodyStart + length;
  if (bodyEnd > text.length) {
    throw new ParseError("Body shorter than Content-Length", { header: "Content-Length" });
  }
  return new Head(text, start, headersStart, bodyStart, bodyEnd, headers);
}

/**
 * The next CR from `start` on. One without its LF is no part of a head: somebody behind us could take it for the end of
 * a line. RFC 3261 §25.1
 */
function nextCr({ text, octets }: Wire, start: number): number {
  const cr = text.indexOf("\r", start);
  if (cr < 0) return text.length;
  if (octets[cr + 1] === LF) return cr;
  throw new ParseError("A CR without its LF", { offset: cr, isAmbiguous: true });
}

function readLines(wire: Wire, headersStart: number, limits: ParseLimits): HeaderLines {
  const { text, octets } = wire;
  const { line: longest, headers: most } = limits;
  const lines: HeaderLine[] = [];
  const index = new LineIndex();
  let cr = 0;
  let start = headersStart;
  for (;;) {
    const match = matchName(octets, start);
    let i = match >> ID_BITS;
    if (i === start && emptyLine(octets, start) > 0) return new HeaderLines(lines, index);
    if (octets[i] !== COLON || i === start) i = colonAfter(wire, start, i);
    i++;
    while (isSpace(octets[i] ?? 0)) i++;
    let lf = text.indexOf("\n", i);
    if (cr < lf) cr = nextCr(wire, i);
    const folded = isSpace(octets[lf + 1] ?? 0);
    while (lf >= 0 && isSpace(octets[lf + 1] ?? 0)) {
      lf = text.indexOf("\n", lf + 1);
      if (cr < lf) cr = nextCr(wire, cr + 1);
    }
    if (lf < 0) throw endsEarly(text);
    if (lf - start > longest) throw new ParseError("Header line too long", { offset: start });
    if (lines.length === most) throw new ParseError("Too many headers", { offset: start });
    const id = match & ((1 << ID_BITS) - 1);
    const eightBit = wire.eightBit && hasEightBit(octets, i, lf);
    let line: HeaderLine;
    if (folded) line = HeaderLine.folded(id, eightBit, text, start, lf + 1, i);
    else {
      let end = octets[lf - 1] === CR ? lf - 1 : lf;
      while (end > i && isSpace(octets[end - 1] ?? 0)) end--;
      line = new HeaderLine(id, eightBit, text, start, lf + 1, i, end, wire);
    }
    index.note(line);
    lines.push(line);
    start = lf + 1;
  }
}

function hasEightBit(octets: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if ((octets[i] ?? 0) > 0x7f) return true;
  }
  return false;
}

function endsEarly(text: string): ParseError {
  return new ParseError("The message ends within its head", { offset: text.length });
}

/** Where the body begins when an empty line is at `start`; -1 when there is none. */
function emptyLine(octets: Uint8Array, start: number): number {
  if (octets[start] === LF) return start + 1;
  return octets[start] === CR && octets[start + 1] === LF ? start + 2 : -1;
}

/** The colon after a name that begins at `start` and ends at `end`, from which white space may set it off. */
function colonAfter({ text, octets }: Wire, start: number, end: number): number {
  const colon = skipSpace(octets, end, text.length);
  if (end > start && octets[colon] === COLON) return colon;
  if (text.indexOf("\n", start) < 0) throw endsEarly(text);
  throw new ParseError("Malformed header name", { offset: colon, isAmbiguous: true });
}

/** The Content-Length, which must be the same when it is given more than once; -1 when there is none. */
function contentLengthOf(headers: HeaderLines): number {
  const first = headers.first(CONTENT_LENGTH);
  if (first === undefined) return -1;
  const length = lengthOf(first);
  const { lines } = headers;
  for (let i = lines.length - 1; lines[i] !== first; i--) {
    const line = lines[i] as HeaderLine;
    if (line.id === CONTENT_LENGTH && lengthOf(line) !== length) {
      throw new ParseError("More than one Content-Length", fault(line));
    }
  }
  return length;
}

function lengthOf(line: HeaderLine): number {
  const length = digitsOf(
    line.wire.octets,
    line.valueStart,
    line.valueEnd,
    Number.MAX_SAFE_INTEGER,
  );
  if (length < 0) throw new ParseError("Malformed Content-Length", fault(line));
  return length;
}

function fault(line: HeaderLine): ParseErrorOptions {
  return { header: headerName(line.id), offset: line.start };
}
