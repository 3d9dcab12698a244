import { isAscii } from "node:buffer";
import { ParseError } from "../errors.ts";
import { digitsOf, isSpace, skipSpace } from "./chars.ts";
import { Head } from "./head.ts";
import { cseq } from "./header/cseq.ts";
import { from } from "./header/from.ts";
import { to } from "./header/to.ts";
import { via } from "./header/via.ts";
import { HeaderLine } from "./header-line.ts";
import { HeaderLines } from "./header-lines.ts";
import {
  CALL_ID,
  CONTENT_LENGTH,
  CSEQ,
  FROM,
  headerName,
  ID_BITS,
  matchName,
  TO,
  VIA,
} from "./header-names.ts";
import { bytesOf } from "./octets.ts";
import type { ParseLimits } from "./parse-limits.ts";

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;

/** The headers that a message may have only once: one bit each. */
const ONCE = (1 << FROM) | (1 << TO) | (1 << CALL_ID) | (1 << CSEQ);

/** Where the start line begins: empty lines before it are skipped. RFC 3261 §7.5 */
export function startOf(text: string): number {
  let i = 0;
  while (text.charCodeAt(i) === CR || text.charCodeAt(i) === LF) i++;
  return i;
}

/** The end of the line that begins at `start`, its line end left out; throws when the text ends before it does. */
export function lineEnd(text: string, start: number): number {
  const lf = text.indexOf("\n", start);
  if (lf < 0) throw endsEarly(text);
  return lf > start && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf;
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
  const headersStart = text.charCodeAt(startLineEnd) === CR ? startLineEnd + 2 : startLineEnd + 1;
  const lines: HeaderLine[] = [];
  const octets = typeof bytes === "string" ? bytesOf(bytes) : bytes;
  const bodyStart = readLines(octets, text, headersStart, lines, limits);
  if (bodyStart - start > limits.head) {
    throw new ParseError("Message head too large", { status: 513 });
  }
  const headers = new HeaderLines(lines);
  // What is read here stays with the lines.
  mandatory(headers, VIA).read(via);
  mandatory(headers, FROM).read(from);
  mandatory(headers, TO).read(to);
  checkCallId(mandatory(headers, CALL_ID));
  const sequence = mandatory(headers, CSEQ).read(cseq);
  if (method !== undefined && sequence?.method !== method) {
    throw new ParseError("CSeq method differs from the request's", { header: "CSeq" });
  }
  const length = contentLengthOf(lines);
  // §18.3: a datagram that ends before its body does is refused, what follows the body is cut.
  const bodyEnd = length < 0 ? text.length : bodyStart + length;
  if (bodyEnd > text.length) {
    throw new ParseError("Body shorter than Content-Length", { header: "Content-Length" });
  }
  return new Head(text, start, headersStart, bodyStart, bodyEnd, headers);
}

/** Reads the header lines and tells where the body begins. `octets` are those of `text`: reading them is faster. */
function readLines(
  octets: Uint8Array,
  text: string,
  headersStart: number,
  lines: HeaderLine[],
  limits: ParseLimits,
): number {
  const eightBit = !isAscii(octets);
  const { line: longest, headers: most } = limits;
  let seen = 0;
  let start = headersStart;
  for (;;) {
    const match = matchName(octets, start);
    let i = match >> ID_BITS;
    if (i === start) {
      const bodyStart = emptyLine(text, start);
      if (bodyStart > 0) return bodyStart;
    }
    if (octets[i] !== COLON || i === start) i = colonAfter(text, start, i);
    i++;
    while (isSpace(octets[i] ?? 0)) i++;
    let lf = text.indexOf("\n", i);
    if (lf < 0) throw endsEarly(text);
    const id = match & ((1 << ID_BITS) - 1);
    const bit = id <= CSEQ ? (1 << id) & ONCE : 0;
    if ((seen & bit) !== 0) throw moreThanOne(id, start);
    seen |= bit;
    if (isSpace(octets[lf + 1] ?? 0)) {
      do {
        lf = text.indexOf("\n", lf + 1);
        if (lf < 0) throw endsEarly(text);
      } while (isSpace(octets[lf + 1] ?? 0));
      lines.push(HeaderLine.folded(id, eightBit, text, start, lf + 1, i));
    } else {
      let end = octets[lf - 1] === CR ? lf - 1 : lf;
      while (end > i && isSpace(octets[end - 1] ?? 0)) end--;
      lines.push(new HeaderLine(id, eightBit, text, start, lf + 1, i, end));
    }
    if (lf - start > longest) throw new ParseError("Header line too long", { offset: start });
    if (lines.length > most) throw new ParseError("Too many headers", { offset: start });
    start = lf + 1;
  }
}

function endsEarly(text: string): ParseError {
  return new ParseError("The message ends within its head", { offset: text.length });
}

/** Where the body begins when an empty line is at `start`; -1 when there is none. */
function emptyLine(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === LF) return start + 1;
  return code === CR && text.charCodeAt(start + 1) === LF ? start + 2 : -1;
}

/** The colon after a name that begins at `start` and ends at `end`, from which white space may set it off. */
function colonAfter(text: string, start: number, end: number): number {
  const colon = skipSpace(text, end, text.length);
  if (end > start && text.charCodeAt(colon) === COLON) return colon;
  if (text.indexOf("\n", start) < 0) throw endsEarly(text);
  throw new ParseError("Malformed header name", { offset: colon });
}

function moreThanOne(id: number, offset: number): ParseError {
  const header = headerName(id);
  return new ParseError(`More than one ${header}`, { header, offset });
}

/** The first line of a header that must be there, with a value. */
function mandatory(headers: HeaderLines, id: number): HeaderLine {
  const line = headers.first(id);
  if (line !== undefined) return line;
  const header = headerName(id);
  throw new ParseError(`Missing ${header}`, { header });
}

function checkCallId(line: HeaderLine): void {
  const { source, valueStart, valueEnd: end } = line;
  const space = source.indexOf(" ", valueStart);
  if (valueStart === end || (space > 0 && space < end)) {
    throw new ParseError("Malformed Call-ID", { header: "Call-ID", offset: line.start });
  }
}

/** The Content-Length, which must be the same when it is given more than once; -1 when there is none. */
function contentLengthOf(lines: readonly HeaderLine[]): number {
  let length = -1;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as HeaderLine;
    if (line.id !== CONTENT_LENGTH) continue;
    const each = digitsOf(line.source, line.valueStart, line.valueEnd, Number.MAX_SAFE_INTEGER);
    const fault = each < 0 ? "Malformed Content-Length" : "More than one Content-Length";
    if (each < 0 || (length >= 0 && length !== each)) {
      throw new ParseError(fault, { header: "Content-Length", offset: line.start });
    }
    length = each;
  }
  return length;
}
