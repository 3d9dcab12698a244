import { ParseError } from "../errors.ts";
import { isSpace, isToken, quote, skipQuoted, skipSpace, trimSpace, unquote } from "./chars.ts";
import { findParam, Params, scanParams, valueOfParam } from "./params.ts";
import { isUriBreak, schemeEnd } from "./uri.ts";

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

function malformed(header: string, what: string, offset: number): ParseError {
  return new ParseError(`Malformed ${header}: ${what}`, { header, offset });
}

/** Where the `<` of a name-addr is; -1 for an addr-spec. Throws when what is before it is no display name. */
function openBracket(text: string, start: number, end: number, header: string): number {
  let i = start;
  if (text.charCodeAt(i) === 0x22) {
    i = skipQuoted(text, i, end);
    if (i < 0) throw malformed(header, "an unbalanced quote", start);
    i = skipSpace(text, i, end);
    if (i === end || text.charCodeAt(i) !== LT) throw malformed(header, "no URI", i);
    return i;
  }
  const open = text.indexOf("<", i);
  if (open < 0 || open >= end) return -1;
  for (; i < open; i++) {
    const code = text.charCodeAt(i);
    // A bracket after this belongs to a parameter of an addr-spec.
    if (code === SEMICOLON) return -1;
    if (code === COMMA || code === GT || code === 0x22 || (code < 0x20 && !isSpace(code))) {
      throw malformed(header, "the display name", i);
    }
  }
  return open;
}

/** The end of the URI that begins at `start`, in brackets or not. */
function uriEnd(
  text: string,
  start: number,
  end: number,
  bracketed: boolean,
  header: string,
): number {
  const colon = schemeEnd(text, start, end);
  if (colon < 0) throw malformed(header, "no URI", start);
  let i = colon + 1;
  for (; i < end; i++) {
    const code = text.charCodeAt(i);
    if (isUriBreak(code)) break;
    if (!bracketed && (code === SEMICOLON || code === COMMA)) break;
    // §20: a URI with a question mark must be in brackets.
    if (!bracketed && code === 0x3f) throw malformed(header, "a bare URI with a question mark", i);
  }
  if (i === colon + 1) throw malformed(header, "no URI", i);
  if (bracketed && (i === end || text.charCodeAt(i) !== GT)) throw malformed(header, "the URI", i);
  return i;
}

/**
 * Checks one value between two positions and tells where its parameters begin, or would: its first semicolon, or its
 * end. Throws a `ParseError` that names the header.
 */
export function checkNameAddr(text: string, start: number, end: number, header: string): number {
  const first = skipSpace(text, start, end);
  if (first === end) throw malformed(header, "no URI", first);
  const open = openBracket(text, first, end, header);
  const uri = open < 0 ? first : open + 1;
  const stop = uriEnd(text, uri, end, open >= 0, header);
  const params = skipSpace(text, open < 0 ? stop : stop + 1, end);
  const last = scanParams(text, params, end);
  if (last !== end) throw malformed(header, "its parameters", last < 0 ? -1 - last : last);
  return params;
}

/** Reads one value between two positions. Throws a `ParseError` that names the header. */
export function scanNameAddr(text: string, start: number, end: number, header: string): NameAddr {
  const params = checkNameAddr(text, start, end, header);
  const first = skipSpace(text, start, end);
  const open = openBracket(text, first, end, header);
  const last = trimSpace(text, first, end);
  const tag = findParam(text, params, last, "tag");
  return {
    displayName: open < 0 ? undefined : displayName(text, first, open),
    uri:
      open < 0
        ? text.slice(first, trimSpace(text, first, params))
        : text.slice(open + 1, text.lastIndexOf(">", params - 1)),
    params: params >= last ? Params.empty : new Params(text.slice(params, last)),
    tag: tag < 0 ? undefined : valueOfParam(text, tag, last),
  };
}

function displayName(text: string, first: number, open: number): string | undefined {
  const last = trimSpace(text, first, open);
  if (first === last) return undefined;
  const written = text.slice(first, last);
  return written.charCodeAt(0) === 0x22 ? unquote(written) : written;
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
