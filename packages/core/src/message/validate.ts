import { ParseError, type ParseErrorOptions } from "../errors.ts";
import { cseq, cseqOf } from "./header/cseq.ts";
import { via } from "./header/via.ts";
import type { HeaderLine } from "./header-line.ts";
import type { HeaderLines } from "./header-lines.ts";
import { CALL_ID, CSEQ, FROM, headerName, TO, VIA } from "./header-names.ts";
import { headOf } from "./message.ts";
import { checkNameAddr } from "./name-addr.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { isName } from "./text.ts";
import { fromWire } from "./utf8.ts";

/** What a transaction key, an answer and a line of the log are made of stays short. */
const MAX_METHOD = 64;
const SP = 0x20;

/**
 * Checks what every element asks of a packet, whatever its part: one sound From, To, Call-ID and CSeq, at most one
 * Max-Forwards, a sound topmost Via, a CSeq that repeats the request's method, and a request-URI without headers. Throws
 * a `ParseError` whose status the sender of a request is owed; a response that it throws for is to be dropped.
 *
 * `parsePacket` does not call it: a log reader may want what a server must refuse. A dispatcher calls it for every
 * packet. What depends on an element's part is not here: the schemes and extensions that it has (416, 420), the
 * hops that are left (483), whose request it is (404, 405).
 *
 * RFC 3261 §8.1.1, §8.2, §16.3 step 1, §19.1.1
 */
export function validate(packet: Request | Response): void {
  const { headers } = headOf(packet);
  if (packet.isRequest) checkRequestLine(packet);
  const { repeated } = headers;
  if (repeated !== undefined) throw malformed(`More than one ${headerName(repeated.id)}`, repeated);
  // Everybody needs the topmost Via: what is read here stays with the line.
  readTopmostVia(mandatory(headers, VIA));
  checkAddress(mandatory(headers, FROM), "From");
  checkAddress(mandatory(headers, TO), "To");
  checkCallId(mandatory(headers, CALL_ID));
  checkCseq(mandatory(headers, CSEQ), packet.isRequest ? packet.method : undefined);
}

function checkRequestLine({ method, uri }: Request): void {
  if (method.length > MAX_METHOD) throw new ParseError("Method too long");
  // §19.1.1: a SIP request-URI has no headers part. Before the at sign a question mark is the user's.
  const question = uri.lastIndexOf("?");
  if (question >= 0 && isSip(uri) && uri.indexOf("@", question) < 0) {
    throw new ParseError("Headers in the Request-URI", { offset: method.length + 1 + question });
  }
}

function isSip(uri: string): boolean {
  const colon = uri.indexOf(":");
  return isName(uri, 0, colon, "sip") || isName(uri, 0, colon, "sips");
}

/** The first line of a header that must be there. */
function mandatory(headers: HeaderLines, id: number): HeaderLine {
  const line = headers.first(id);
  if (line !== undefined) return line;
  const header = headerName(id);
  throw new ParseError(`Missing ${header}`, { header });
}

function readTopmostVia(line: HeaderLine): void {
  if (line.eightBit) via.parse(line.wireValues()[0] ?? "");
  else if (line.read(via) === undefined) throw malformed("Malformed Via", line);
}

function checkAddress(line: HeaderLine, header: string): void {
  const tag = checkNameAddr(line.wire, line.valueStart, line.valueEnd, header);
  line.tag = line.eightBit && tag !== undefined ? fromWire(tag) : tag;
}

/** One word, whatever it is made of. */
function checkCallId(line: HeaderLine): void {
  const { valueStart, valueEnd } = line;
  const { octets } = line.wire;
  let i = valueStart;
  while (i < valueEnd && (octets[i] ?? 0) > SP) i++;
  if (i < valueEnd || i === valueStart) throw malformed("Malformed Call-ID", line);
}

function checkCseq(line: HeaderLine, method: string | undefined): void {
  if (method === undefined) line.read(cseq);
  else line.remember(cseq, cseqOf(line.wire.octets, line.valueStart, line.valueEnd, method));
}

function malformed(message: string, line: HeaderLine): ParseError {
  const options: ParseErrorOptions = { header: headerName(line.id), offset: line.start };
  return new ParseError(message, options);
}
