import { ParseError } from "../errors.ts";
import { digitsOf } from "./chars.ts";
import { Params } from "./params.ts";
import { fromWire } from "./utf8.ts";

/** A SIP or SIPS URI. RFC 3261 §19.1 */
export interface SipUri {
  readonly scheme: "sip" | "sips";
  /** As written, escapes and all: {@link unescapeUser} takes them off. Never empty. */
  readonly user?: string;
  /** As written. */
  readonly password?: string;
  /** As written; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port?: number;
  readonly params: Params;
  /** What follows the question mark, as written; empty when nothing does. */
  readonly headers: string;
}

/** A telephone number. RFC 3966 */
export interface TelUri {
  readonly scheme: "tel";
  readonly number: string;
  readonly params: Params;
}

/** A URI of any other scheme. */
export interface OtherUri {
  /** In lower case. */
  readonly scheme: string;
  /** The whole URI as written. */
  readonly text: string;
}

export type Uri = SipUri | TelUri | OtherUri;

const AT = 0x40;
const COLON = 0x3a;
const MAX_PORT = 65535;

/** Where the colon after a URI's scheme is; -1 when there is no scheme. RFC 2396 §3.1 */
export function schemeEnd(text: string, start: number, end: number): number {
  if (isLetter(text.charCodeAt(start))) {
    for (let i = start + 1; i < end; i++) {
      const code = text.charCodeAt(i);
      if (code === COLON) return i;
      if (!isLetter(code) && !isDigit(code) && code !== 0x2b && code !== 0x2d && code !== 0x2e)
        break;
    }
  }
  return -1;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** 1 for the octets that break a URI off: white space, controls, quotes and angle brackets. */
const BREAKS: Uint8Array = new Uint8Array(256);
BREAKS.fill(1, 0, 0x21);
for (const char of '"<>\x7f') BREAKS[char.charCodeAt(0)] = 1;

/** Whether an octet may stand in some URI: all but white space, controls, quotes and angle brackets. */
export function isUriCode(code: number): boolean {
  return BREAKS[code] !== 1;
}

function malformed(what: string, offset: number): ParseError {
  return new ParseError(`Malformed URI: ${what}`, { offset });
}

/**
 * Reads a URI, without angle brackets. Throws a `ParseError` (400) when it is none.
 *
 * RFC 3261 §19.1.1, RFC 3966 §3
 */
export function parseUri(text: string): Uri {
  const colon = schemeEnd(text, 0, text.length);
  if (colon < 0) throw malformed("no scheme", 0);
  for (let i = colon; i < text.length; i++) {
    if (!isUriCode(text.charCodeAt(i))) throw malformed("a character that no URI may hold", i);
  }
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme === "sip" || scheme === "sips") return parseHostPart(text, scheme, colon + 1);
  if (scheme !== "tel") return { scheme, text };
  const semicolon = text.indexOf(";", colon);
  const end = semicolon < 0 ? text.length : semicolon;
  if (end === colon + 1) throw malformed("no number", end);
  return {
    scheme: "tel",
    number: text.slice(colon + 1, end),
    params: semicolon < 0 ? Params.empty : new Params(text.slice(semicolon)),
  };
}

/** As {@link parseUri}, for a SIP or SIPS URI: another scheme is a `ParseError` of status 416. */
export function parseSipUri(text: string): SipUri {
  const uri = parseUri(text);
  if ("host" in uri) return uri;
  throw new ParseError("Unsupported URI scheme", { status: 416 });
}

function parseHostPart(text: string, scheme: "sip" | "sips", start: number): SipUri {
  const at = text.indexOf("@", start);
  const hostStart = at < 0 ? start : at + 1;
  const hostStop = hostEnd(text, hostStart, text.length);
  if (hostStop < 0) throw malformed("no host", hostStart);
  let i = hostStop;
  let port: number | undefined;
  if (text.charCodeAt(i) === COLON) {
    const first = i + 1;
    i = first;
    while (i < text.length && isDigit(text.charCodeAt(i))) i++;
    port = digitsOf(text, first, i, MAX_PORT);
    if (port < 0) throw malformed("the port", first);
  }
  const question = text.indexOf("?", i);
  const paramsEnd = question < 0 ? text.length : question;
  if (i < paramsEnd && text.charCodeAt(i) !== 0x3b) throw malformed("the host", i);
  const user = at < 0 ? undefined : splitUser(text, start, at);
  return {
    scheme,
    ...user,
    host: text.slice(hostStart, hostStop),
    ...(port === undefined ? undefined : { port }),
    params: i === paramsEnd ? Params.empty : new Params(text.slice(i, paramsEnd)),
    headers: question < 0 ? "" : text.slice(question + 1),
  };
}

function splitUser(
  text: string,
  start: number,
  at: number,
): { readonly user: string; readonly password?: string } {
  const colon = text.indexOf(":", start);
  const end = colon < 0 || colon > at ? at : colon;
  if (end === start) throw malformed("no user before the at sign", start);
  if (text.charCodeAt(at + 1) === AT) throw malformed("two at signs", at + 1);
  const user = text.slice(start, end);
  return end === at ? { user } : { user, password: text.slice(end + 1, at) };
}

/** The end of the host that begins at `start`: a name, an IPv4 address or a bracketed IPv6 address; -1 when none does. */
export function hostEnd(text: string, start: number, end: number): number {
  let i = start;
  if (text.charCodeAt(i) === 0x5b) {
    i++;
    while (i < end && isAddressCode(text.charCodeAt(i))) i++;
    return i < end && i > start + 2 && text.charCodeAt(i) === 0x5d ? i + 1 : -1;
  }
  while (i < end && isHostCode(text.charCodeAt(i))) i++;
  return i === start ? -1 : i;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** 1 for the octets of a host name or an IPv4 address. The underscore is in no grammar, and in many a network. */
const HOST: Uint8Array = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") {
  HOST[char.charCodeAt(0)] = 1;
}

function isHostCode(code: number): boolean {
  return HOST[code] === 1;
}

function isAddressCode(code: number): boolean {
  const lower = code | 0x20;
  return isDigit(code) || (lower >= 0x61 && lower <= 0x66) || code === COLON || code === 0x2e;
}

/** Writes a URI, as it was written where it was parsed. */
export function formatUri(uri: Uri): string {
  if ("text" in uri) return uri.text;
  if ("number" in uri) return `tel:${uri.number}${uri.params}`;
  const password = uri.password === undefined ? "" : `:${uri.password}`;
  const user = uri.user === undefined ? "" : `${uri.user}${password}@`;
  const port = uri.port === undefined ? "" : `:${uri.port}`;
  const headers = uri.headers === "" ? "" : `?${uri.headers}`;
  return `${uri.scheme}:${user}${uri.host}${port}${uri.params}${headers}`;
}

const ESCAPE = /%[0-9A-Fa-f]{2}/g;

/** A user part with its escapes taken off: `%61lice` is `alice`. Escapes that aren't UTF-8 become one character a byte. */
export function unescapeUser(raw: string): string {
  if (!raw.includes("%")) return raw;
  const octets = raw.replace(ESCAPE, (written) =>
    String.fromCharCode(Number.parseInt(written.slice(1), 16)),
  );
  return fromWire(octets);
}
