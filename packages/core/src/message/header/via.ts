import { ParseError } from "../../errors.ts";
import { digitsOf, isTokenCode, isWord, skipSpace } from "../chars.ts";
import type { HeaderField } from "../header-field.ts";
import { VIA } from "../header-names.ts";
import { ParamCursor } from "../param-cursor.ts";
import { Params } from "../params.ts";
import { hostEnd, isDigit } from "../uri.ts";
import { knownField } from "./known-field.ts";

/** One hop that a request went over. RFC 3261 §20.42 */
export interface Via {
  /** In capitals: `UDP`, `TCP`, `TLS`, `WS`, `WSS`, or whatever else was written. */
  readonly transport: string;
  /** As written; IPv6 keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** `host` or `host:port`, without white space. */
  readonly sentBy: string;
  readonly params: Params;
  /** `params.get("branch")`. */
  readonly branch: string | undefined;
  /** `params.get("received")`. */
  readonly received: string | undefined;
  /** Asked for (`true`), or the source port that was put in. RFC 3581 */
  readonly rport: number | true | undefined;
}

const SLASH = 0x2f;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const MAX_PORT = 65535;

function malformed(what: string, offset: number): ParseError {
  return new ParseError(`Malformed Via: ${what}`, { header: "Via", offset });
}

function tokenEnd(text: string, start: number, end: number): number {
  let i = start;
  while (i < end && isTokenCode(text.charCodeAt(i))) i++;
  if (i === start) throw malformed("the protocol", i);
  return i;
}

/** Where the transport begins: after `SIP/2.0/`, around whose slashes white space may stand. */
function transportStart(text: string, start: number, end: number): number {
  if (text.startsWith("SIP/2.0/", start) && start + 8 < end) return skipSpace(text, start + 8, end);
  const name = skipSpace(text, start, end);
  const nameEnd = tokenEnd(text, name, end);
  let i = skipSpace(text, nameEnd, end);
  if (!isWord(text, name, nameEnd, "SIP") || text.charCodeAt(i) !== SLASH) {
    throw malformed("the protocol", name);
  }
  const version = skipSpace(text, i + 1, end);
  const versionEnd = tokenEnd(text, version, end);
  i = skipSpace(text, versionEnd, end);
  if (!isWord(text, version, versionEnd, "2.0") || text.charCodeAt(i) !== SLASH) {
    throw malformed("the protocol version", version);
  }
  return skipSpace(text, i + 1, end);
}

/** Where sent-by begins, which white space sets off from the transport. */
function sentByStart(text: string, transportEnd: number, end: number): number {
  const start = skipSpace(text, transportEnd, end);
  if (start === transportEnd || start === end) throw malformed("sent-by", start);
  return start;
}

/** Where the digits that begin at `start` end. */
function digitsEnd(text: string, start: number, end: number): number {
  let i = start;
  while (i < end && isDigit(text.charCodeAt(i))) i++;
  return i;
}

function scanVia(text: string, start: number, end: number): Via {
  const transport = transportStart(text, start, end);
  const transportEnd = tokenEnd(text, transport, end);
  const sentBy = sentByStart(text, transportEnd, end);
  const hostStop = hostEnd(text, sentBy, end);
  if (hostStop < 0) throw malformed("sent-by", sentBy);
  const host = text.slice(sentBy, hostStop);
  let params = hostStop;
  let port: number | undefined;
  let colon = hostStop;
  if (colon < end && text.charCodeAt(colon) !== SEMICOLON) colon = skipSpace(text, colon, end);
  if (colon < end && text.charCodeAt(colon) === COLON) {
    const first = skipSpace(text, colon + 1, end);
    params = digitsEnd(text, first, end);
    port = digitsOf(text, first, params, MAX_PORT);
    if (port < 0) throw malformed("the port", first);
  }
  const written = port === undefined || params === hostStop ? host : text.slice(sentBy, params);
  params = skipSpace(text, params, end);
  let branch: string | undefined;
  let received: string | undefined;
  let rport: number | true | undefined;
  const cursor = new ParamCursor(text, params, end);
  while (cursor.next()) {
    if (cursor.is("branch")) branch ??= cursor.value;
    else if (cursor.is("received")) received ??= cursor.value;
    else if (cursor.is("rport")) rport ??= rportOf(cursor.value);
  }
  cursor.finish("Via");
  return {
    transport: transportName(text, transport, transportEnd),
    host,
    port,
    sentBy: written.length === host.length || colon === hostStop ? written : `${host}:${port}`,
    params: params === end ? Params.empty : Params.of(text, params, end),
    branch,
    received,
    rport,
  };
}

function transportName(text: string, start: number, end: number): string {
  if (end - start === 3 && text.startsWith("UDP", start)) return "UDP";
  if (end - start === 3 && text.startsWith("TCP", start)) return "TCP";
  return text.slice(start, end).toUpperCase();
}

function rportOf(value: string | undefined): number | true {
  const port = value === undefined ? -1 : digitsOf(value, 0, value.length, MAX_PORT);
  return port < 0 ? true : port;
}

/** Writes a Via from transport, host, port and params; the shortcuts beside them are not looked at. */
function formatVia(value: Via): string {
  const port = value.port === undefined ? "" : `:${value.port}`;
  return `SIP/2.0/${value.transport} ${value.host}${port}${value.params}`;
}

/** The Via header: the way that a request came and its response goes back. RFC 3261 §20.42 */
export const via: HeaderField<Via> = knownField(VIA, scanVia, formatVia);
