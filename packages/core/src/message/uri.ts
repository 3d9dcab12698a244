import { ParseError } from "../errors.ts";
import { isAddressCode, isDigit, isHostCode, isLetter, isUriCode } from "./chars.ts";
import { Params } from "./params.ts";
import { fromWire } from "./utf8.ts";

/** A SIP or SIPS URI. RFC 3261 §19.1 */
export interface SipUri {
  readonly scheme: "sip" | "sips";
  /** As written, escapes and all: {@link unescapeUser} takes them off. Never empty. */
  readonly user?: string | undefined;
  /** As written. */
  readonly password?: string | undefined;
  /** As written; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port?: number | undefined;
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

/** Where the colon after the scheme is; -1 when there is no scheme. RFC 2396 §3.1 */
function schemeEnd(text: string): number {
  if (!isLetter(text.charCodeAt(0))) return -1;
  for (let i = 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COLON) return i;
    if (!isLetter(code) && !isDigit(code) && code !== 0x2b && code !== 0x2d && code !== 0x2e) break;
  }
  return -1;
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
  const colon = schemeEnd(text);
  if (colon < 0) throw malformed("no scheme", 0);
  for (let i = colon; i < text.length; i++) {
    if (!isUriCode(Math.min(text.charCodeAt(i), 0xff)))
      throw malformed("a character that no URI may hold", i);
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
    params: semicolon < 0 ? Params.empty : new Params(text, semicolon),
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
  const hostStop = hostEnd(text, hostStart);
  if (hostStop < 0) throw malformed("no host", hostStart);
  let i = hostStop;
  let port: number | undefined;
  if (text.charCodeAt(i) === COLON) {
    const first = i + 1;
    port = 0;
    for (i = first; isDigit(text.charCodeAt(i)) && port <= MAX_PORT; i++) {
      port = port * 10 + text.charCodeAt(i) - 0x30;
    }
    if (i === first || port > MAX_PORT) throw malformed("the port", first);
  }
  const question = text.indexOf("?", i);
  const paramsEnd = question < 0 ? text.length : question;
  if (i < paramsEnd && text.charCodeAt(i) !== 0x3b) throw malformed("the host", i);
  const userStop = at < 0 ? start : userEnd(text, start, at);
  // Every URI has the same fields in the same order: the engine reads such objects fastest.
  return {
    scheme,
    user: at < 0 ? undefined : text.slice(start, userStop),
    password: at < 0 || userStop === at ? undefined : text.slice(userStop + 1, at),
    host: text.slice(hostStart, hostStop),
    port,
    params: i === paramsEnd ? Params.empty : new Params(text, i, paramsEnd),
    headers: question < 0 ? "" : text.slice(question + 1),
  };
}

/** Where the user ends that stands before an at sign: there, or at the colon of a password. */
function userEnd(text: string, start: number, at: number): number {
  const colon = text.indexOf(":", start);
  const end = colon < 0 || colon > at ? at : colon;
  if (end === start) throw malformed("no user before the at sign", start);
  if (text.charCodeAt(at + 1) === AT) throw malformed("two at signs", at + 1);
  return end;
}

/** The end of the host that begins at `start`: a name, an IPv4 address or a bracketed IPv6 address; -1 for none. */
function hostEnd(text: string, start: number): number {
  let i = start;
  if (text.charCodeAt(i) === 0x5b) {
    i++;
    while (isAddressCode(text.charCodeAt(i))) i++;
    return i > start + 2 && text.charCodeAt(i) === 0x5d ? i + 1 : -1;
  }
  while (isHostCode(text.charCodeAt(i))) i++;
  return i === start ? -1 : i;
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
