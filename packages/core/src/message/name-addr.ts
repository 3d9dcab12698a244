import { ParseError } from "../errors.ts";
import { isSpace, isToken, quote, skipQuoted, skipSpace, trimSpace, unquote } from "./chars.ts";
import { ParamCursor } from "./param-cursor.ts";
import { Params } from "./params.ts";
import { isUriCode, schemeEnd } from "./uri.ts";
import { valueEnd } from "./value-list.ts";

/** A name-addr or addr-spec with its header parameters: From, To, Contact, Route … RFC 3261 §20.10 */
export interface NameAddr {
  /** Without quotes. */
  readonly displayName: string | undefined;
  /** Without angle brackets. */
  readonly uri: string;
  /** The header's own parameters, after the brackets. */
  readonly params: Params;
  /** `params.get("tag")`. */
  readonly tag: string | undefined;
}

const LT = 0x3c;
const GT = 0x3e;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const QUESTION = 0x3f;
const QUOTE = 0x22;

/** What breaks a URI off, but for the bracket that closes it. */
const BREAKS = [" ", '"', "<"] as const;

function malformed(header: string, what: string, offset: number): ParseError {
  return new ParseError(`Malformed ${header}: ${what}`, { header, offset });
}

/** Where the `<` of a name-addr is; -1 for an addr-spec. Throws when what is before it is no display name. */
function openBracket(text: string, start: number, end: number, header: string): number {
  const code = text.charCodeAt(start);
  if (code === LT) return start;
  if (code === QUOTE) {
    const after = skipQuoted(text, start, end);
    if (after < 0) throw malformed(header, "an unbalanced quote", start);
    const open = skipSpace(text, after, end);
    if (open === end || text.charCodeAt(open) !== LT) throw malformed(header, "no URI", open);
    return open;
  }
  const open = text.indexOf("<", start);
  return open < 0 || open >= end || !isDisplayName(text, start, open, header) ? -1 : open;
}

/** Whether what is before a bracket is a display name without quotes, and not an addr-spec with its parameters. */
function isDisplayName(text: string, start: number, open: number, header: string): boolean {
  for (let i = start; i < open; i++) {
    const code = text.charCodeAt(i);
    if (code === SEMICOLON) return false;
    if (code === COMMA || code === GT || code === QUOTE || (code < 0x20 && !isSpace(code))) {
      throw malformed(header, "the display name", i);
    }
  }
  return true;
}

/** The end of a URI in brackets that begins at `start`: the closing bracket. */
function bracketedEnd(text: string, start: number, end: number, header: string): number {
  const colon = schemeEnd(text, start, end);
  const close = text.indexOf(">", start);
  if (colon < 0 || close < 0 || close >= end) throw malformed(header, "no URI", start);
  if (colon + 1 === close) throw malformed(header, "no URI", close);
  for (const mark of BREAKS) {
    const at = text.indexOf(mark, start);
    if (at >= 0 && at < close) throw malformed(header, "the URI", at);
  }
  return close;
}

/** The end of a bare URI that begins at `start`. */
function bareEnd(text: string, start: number, end: number, header: string): number {
  const colon = schemeEnd(text, start, end);
  if (colon < 0) throw malformed(header, "no URI", start);
  let i = colon + 1;
  for (; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === SEMICOLON || code === COMMA || !isUriCode(code)) break;
    // §20: a URI with a question mark must be in brackets.
    if (code === QUESTION) throw malformed(header, "a bare URI with a question mark", i);
  }
  if (i === colon + 1) throw malformed(header, "no URI", i);
  return i;
}

/** Reads one value between two positions. Throws a `ParseError` that names the header. */
export function scanNameAddr(text: string, start: number, end: number, header: string): NameAddr {
  const first = skipSpace(text, start, end);
  if (first === end) throw malformed(header, "no URI", first);
  const open = openBracket(text, first, end, header);
  const uri = open < 0 ? first : open + 1;
  const uriEnd = open < 0 ? bareEnd(text, uri, end, header) : bracketedEnd(text, uri, end, header);
  const params = skipSpace(text, open < 0 ? uriEnd : uriEnd + 1, end);
  let tag: string | undefined;
  if (params < end) {
    const cursor = new ParamCursor(text, params, end);
    while (cursor.next()) {
      if (cursor.is("tag")) tag ??= cursor.value;
    }
    cursor.finish(header);
    const comma = valueEnd(text, params, end);
    if (comma < end) throw malformed(header, "more than one value", comma);
  }
  return {
    displayName: open <= first ? undefined : displayName(text, first, open),
    uri: text.slice(uri, uriEnd),
    params: params === end ? Params.empty : Params.of(text, params, end),
    tag,
  };
}

function displayName(text: string, first: number, open: number): string {
  const written = text.slice(first, trimSpace(text, first, open));
  return written.charCodeAt(0) === QUOTE ? unquote(written) : written;
}

/** Reads a name-addr or an addr-spec. Throws a `ParseError` (400). */
export function parseNameAddr(text: string): NameAddr {
  return scanNameAddr(text, 0, text.length, "address");
}

/** Writes a name-addr, its URI always in brackets. Of `tag` and the parameter of that name, `tag` counts. */
export function formatNameAddr(address: Partial<NameAddr> & Pick<NameAddr, "uri">): string {
  const name = address.displayName;
  const { tag } = address;
  let params = address.params ?? Params.empty;
  if (tag !== undefined && params.get("tag") !== tag) params = params.with("tag", tag);
  return `${name === undefined ? "" : `${writtenName(name)} `}<${address.uri}>${params}`;
}

function writtenName(name: string): string {
  return name !== "" && name.split(" ").every((word) => isToken(word)) ? name : quote(name);
}
