import type { ParseError } from "../errors.ts";
import { isSpace } from "./chars.ts";
import { CALL_ID, CSEQ, FROM, headerId, headerName, TO, VIA } from "./header-names.ts";
import { startOf } from "./parse-head.ts";
import { Response } from "./response.ts";
import { isStatusLine } from "./start-line.ts";
import { isTokenText } from "./text.ts";
import { fromWire } from "./utf8.ts";
import { Wire } from "./wire.ts";

/** No more of a message at fault is read than this. */
const MAX_LINES = 256;

/** A Via with a sent-by, whatever its version is and however its parameters are written. */
const SENT_BY = /^[^/]+\/[^/]+\/[^\s/]+[ \t]+[\w.[-]/;

/**
 * The stateless answer to bytes that did not parse: the error's status and message, and what can be read of Via, From,
 * To, Call-ID and CSeq. `undefined` when the bytes are a response, an ACK, or hold no Via that an answer could follow.
 *
 * RFC 3261 §8.2.6, §8.2.7
 */
export function refusalTo(bytes: Uint8Array | string, error: ParseError): Response | undefined {
  const { text, octets } = Wire.of(bytes);
  const start = startOf(octets);
  const method = text.slice(start, text.indexOf(" ", start));
  if (isStatusLine(octets, start) || !isTokenText(method) || method === "ACK") return undefined;
  const headers: [string, string][] = [];
  const seen = new Set<number>();
  for (const [name, value] of readable(text, start)) {
    const id = headerId(name);
    if (id === VIA || !seen.has(id)) headers.push([headerName(id), value]);
    seen.add(id);
  }
  const [, topmost] = headers.find(([name]) => name === headerName(VIA)) ?? [];
  if (topmost === undefined || !SENT_BY.test(topmost)) return undefined;
  const to = headers.find(([name]) => name === headerName(TO));
  if (to !== undefined && !HAS_TAG.test(to[1])) to[1] += `;tag=${tagOf(headers)}`;
  return new Response(error.status, { headers, reason: error.message });
}

const HAS_TAG = /;[ \t]*tag[ \t]*=/i;

/** The same tag for the same request, as §8.2.7 has it: FNV-1a of what identifies it. */
function tagOf(headers: readonly (readonly [name: string, value: string])[]): string {
  let hash = 0x811c9dc5;
  for (const [, value] of headers) {
    for (let i = 0; i < value.length; i++) {
      hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193);
    }
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** The lines that an answer copies, as far as they can be read. */
function* readable(text: string, start: number): Generator<readonly [name: string, value: string]> {
  const wanted = new Set([VIA, FROM, TO, CALL_ID, CSEQ]);
  const lines = text.slice(text.indexOf("\n", start) + 1).split(/\r?\n(?![ \t])/, MAX_LINES);
  for (const line of lines) {
    if (line === "") return;
    const colon = line.indexOf(":");
    const name = trimmed(line.slice(0, Math.max(colon, 0)));
    const value = trimmed(line.slice(colon + 1).replace(/\r?\n[ \t]+/g, " "));
    if (wanted.has(headerId(name)) && !/[\r\n\0]/.test(value)) yield [name, fromWire(value)];
  }
}

/** A text without the spaces and tabs at its ends: `trim` would take a byte of UTF-8 for a space, too. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}
