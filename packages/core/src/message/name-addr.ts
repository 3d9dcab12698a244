import { ParseError } from "../errors.ts";
import { isSpace, isUriCode } from "./chars.ts";
import { skipSpace, trimSpace } from "./octets.ts";
import { checkParams, Params, paramsOf, quickPick } from "./params.ts";
import { schemeEnd } from "./scheme.ts";
import { isTokenText, quote, unquote } from "./text.ts";
import { skipQuoted, Wire } from "./wire.ts";

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

const SP = 0x20;
const LT = 0x3c;
const GT = 0x3e;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const QUESTION = 0x3f;
const QUOTE = 0x22;

const NONE: readonly undefined[] = [];
const TAG = ["tag"];

function malformed(header: string, what: string, offset: number): ParseError {
  return new ParseError(`Malformed ${header}: ${what}`, { header, offset });
}

/** Where the `<` of a name-addr is; -1 for an addr-spec. Throws when what is before it is no display name. */
function openBracket(wire: Wire, start: number, end: number, header: string): number {
  const { octets } = wire;
  const code = octets[start];
  if (code === LT) return start;
  if (code === QUOTE) {
    const after = skipQuoted(wire, start, end);
    if (after < 0) throw malformed(header, "an unbalanced quote", start);
    const open = skipSpace(octets, after, end);
    if (open === end || octets[open] !== LT) throw malformed(header, "no URI", open);
    return open;
  }
  return openAfterName(octets, start, end, header);
}

/** Where the `<` after a display name without quotes is; -1 when there is an addr-spec, with its parameters. */
function openAfterName(octets: Uint8Array, start: number, end: number, header: string): number {
  let fault = -1;
  for (let i = start; i < end; i++) {
    const code = octets[i] ?? 0;
    if (code === SEMICOLON) return -1;
    if (code === LT) {
      if (fault >= 0) throw malformed(header, "the display name", fault);
      return i;
    }
    const bad = code === COMMA || code === GT || code === QUOTE || (code < 0x20 && !isSpace(code));
    if (bad && fault < 0) fault = i;
  }
  return -1;
}

/** The end of a URI that begins at `start`: of one in brackets the closing bracket. */
function uriEnd(
  octets: Uint8Array,
  start: number,
  end: number,
  bracketed: boolean,
  header: string,
): number {
  const colon = schemeEnd(octets, start, end);
  if (colon < 0) throw malformed(header, "no URI", start);
  let i = colon + 1;
  if (bracketed) {
    while (i < end && isUriCode(octets[i] ?? 0)) i++;
    if (i === end || octets[i] !== GT) throw malformed(header, "the URI", i);
  } else i = bareEnd(octets, i, end, header);
  if (i === colon + 1) throw malformed(header, "no URI", i);
  return i;
}

/** The end of what follows the scheme of a bare URI. */
function bareEnd(octets: Uint8Array, start: number, end: number, header: string): number {
  let i = start;
  for (; i < end; i++) {
    const code = octets[i] ?? 0;
    if (code === SEMICOLON || code === COMMA || !isUriCode(code)) break;
    // §20: a URI with a question mark must be in brackets.
    if (code === QUESTION) throw malformed(header, "a bare URI with a question mark", i);
  }
  return i;
}

/** Where the `<` is of a name-addr as nearly all are written; -1 for any other. */
function quickOpen(wire: Wire, start: number, end: number): number {
  const { octets } = wire;
  let i = start;
  if (octets[i] === QUOTE) {
    i = skipQuoted(wire, i, end);
    if (octets[i] === SP) i++;
  }
  return octets[i] === LT ? i : -1;
}

/** Where the `>` of the URI is that follows a `<`; -1 when it isn't written as nearly all are. */
function quickClose(octets: Uint8Array, open: number, end: number): number {
  const colon = schemeEnd(octets, open + 1, end);
  if (colon < 0) return -1;
  let i = colon + 1;
  while (isUriCode(octets[i] ?? 0)) i++;
  return octets[i] !== GT || i === colon + 1 ? -1 : i;
}

/** Checks one value between two positions and gives its `tag`. Throws a `ParseError`. */
export function checkNameAddr(
  wire: Wire,
  start: number,
  end: number,
  header: string,
): string | undefined {
  const { octets } = wire;
  const opened = quickOpen(wire, start, end);
  const close = opened < 0 ? -1 : quickClose(octets, opened, end);
  const quick = close < 0 ? undefined : quickPick(wire, close + 1, end, TAG);
  if (quick !== undefined) return quick[0];
  const first = skipSpace(octets, start, end);
  if (first === end) throw malformed(header, "no URI", first);
  const open = openBracket(wire, first, end, header);
  const stop = uriEnd(octets, open < 0 ? first : open + 1, end, open >= 0, header);
  const params = skipSpace(octets, open < 0 ? stop : stop + 1, end);
  checkParams(wire, params, end, header);
  return paramsOf(wire, params, end, TAG)[0];
}

/** A value with the values of some of its parameters, in the order of the names that were asked for. */
export interface Address {
  readonly displayName: string | undefined;
  readonly uri: string;
  readonly params: Params;
  readonly picked: readonly (string | undefined)[];
}

/**
 * Reads one value between two positions, and the parameters of those names (in lower case). Throws a `ParseError` that
 * names the header.
 */
export function scanAddress(
  wire: Wire,
  start: number,
  end: number,
  header: string,
  names: readonly string[],
): Address {
  const { text, octets } = wire;
  const opened = quickOpen(wire, start, end);
  const close = opened < 0 ? -1 : quickClose(octets, opened, end);
  const quick = close < 0 ? undefined : quickPick(wire, close + 1, end, names);
  if (quick !== undefined) {
    return {
      displayName: opened === start ? undefined : displayName(wire, start, opened),
      uri: text.slice(opened + 1, close),
      params: close + 1 === end ? Params.empty : new Params(wire, close + 1, end),
      picked: quick,
    };
  }
  const first = skipSpace(octets, start, end);
  if (first === end) throw malformed(header, "no URI", first);
  const open = openBracket(wire, first, end, header);
  const uri = open < 0 ? first : open + 1;
  const stop = uriEnd(octets, uri, end, open >= 0, header);
  const params = skipSpace(octets, open < 0 ? stop : stop + 1, end);
  checkParams(wire, params, end, header);
  return {
    displayName: open <= first ? undefined : displayName(wire, first, open),
    uri: text.slice(uri, stop),
    params:
      params === end ? Params.empty : new Params(wire, params, trimSpace(octets, params, end)),
    picked: params === end ? NONE : paramsOf(wire, params, end, names),
  };
}

/** Reads one value between two positions. Throws a `ParseError` that names the header. */
export function scanNameAddr(wire: Wire, start: number, end: number, header: string): NameAddr {
  const { displayName, uri, params, picked } = scanAddress(wire, start, end, header, TAG);
  return { displayName, uri, params, tag: picked[0] };
}

function displayName({ text, octets }: Wire, first: number, open: number): string {
  const written = text.slice(first, trimSpace(octets, first, open));
  return octets[first] === QUOTE ? unquote(written) : written;
}

/** Reads a name-addr or an addr-spec. Throws a `ParseError` (400). */
export function parseNameAddr(text: string): NameAddr {
  return scanNameAddr(Wire.of(text), 0, text.length, "address");
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
  return name !== "" && name.split(" ").every(isTokenText) ? name : quote(name);
}
