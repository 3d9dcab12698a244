import { ParseError } from "../../errors.ts";
import { digitsOf, isSpace, isTokenCode, isWord, skipSpace, trimSpace } from "../chars.ts";
import type { HeaderField, KnownField } from "../header-field.ts";
import { VIA } from "../header-names.ts";
import { findParam, Params, scanParams, valueOfParam } from "../params.ts";
import { hostEnd } from "../uri.ts";
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
export function viaTransport(text: string, start: number, end: number): number {
  if (text.startsWith("SIP/2.0/", start)) return skipSpace(text, start + 8, end);
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

/** Where sent-by begins. */
export function viaSentBy(text: string, start: number, end: number): number {
  const transport = tokenEnd(text, viaTransport(text, start, end), end);
  if (transport >= end || !isSpace(text.charCodeAt(transport)))
    throw malformed("sent-by", transport);
  return skipSpace(text, transport, end);
}

/** Where the colon before the port is; -1 when there is none. Throws when the port is malformed. */
function portColon(text: string, host: number, end: number): number {
  const colon = skipSpace(text, host, end);
  return colon < end && text.charCodeAt(colon) === COLON ? colon : -1;
}

/** Checks one value and tells where its parameters begin, or would. Throws a `ParseError`. */
export function checkVia(text: string, start: number, end: number): number {
  const sentBy = viaSentBy(text, start, end);
  const host = hostEnd(text, sentBy, end);
  if (host < 0) throw malformed("sent-by", sentBy);
  const colon = portColon(text, host, end);
  let params = skipSpace(text, host, end);
  if (colon >= 0) {
    const port = skipSpace(text, colon + 1, end);
    let i = port;
    while (i < end && digitsOf(text, i, i + 1, 9) >= 0) i++;
    if (digitsOf(text, port, i, MAX_PORT) < 0) throw malformed("the port", port);
    params = skipSpace(text, i, end);
  }
  const stop = scanParams(text, params, end);
  if (stop !== end) throw malformed("its parameters", stop < 0 ? -1 - stop : stop);
  return params;
}

const TRANSPORTS = ["UDP", "TCP", "TLS", "WSS", "WS"];

function scanVia(text: string, start: number, end: number): Via {
  const params = checkVia(text, start, end);
  const transport = viaTransport(text, skipSpace(text, start, end), end);
  const transportEnd = tokenEnd(text, transport, end);
  const sentBy = skipSpace(text, transportEnd, end);
  const hostStop = hostEnd(text, sentBy, end);
  const host = text.slice(sentBy, hostStop);
  const colon = portColon(text, hostStop, end);
  const first = skipSpace(text, colon + 1, end);
  const port =
    colon < 0 ? undefined : digitsOf(text, first, trimSpace(text, first, params), MAX_PORT);
  const last = trimSpace(text, params, end);
  const rport = findParam(text, params, last, "rport");
  return {
    transport:
      TRANSPORTS.find((known) => isWord(text, transport, transportEnd, known)) ??
      text.slice(transport, transportEnd).toUpperCase(),
    host,
    port,
    sentBy: port === undefined ? host : `${host}:${port}`,
    params: params >= last ? Params.empty : new Params(text.slice(params, last)),
    branch: paramOf(text, params, last, "branch"),
    received: paramOf(text, params, last, "received"),
    rport: rport < 0 ? undefined : rportOf(valueOfParam(text, rport, last)),
  };
}

function rportOf(value: string | undefined): number | true {
  const port = value === undefined ? -1 : digitsOf(value, 0, value.length, MAX_PORT);
  return port < 0 ? true : port;
}

function paramOf(text: string, start: number, end: number, name: string): string | undefined {
  const at = findParam(text, start, end, name);
  return at < 0 ? undefined : valueOfParam(text, at, end);
}

/** Writes a Via from transport, host, port and params; the shortcuts beside them are not looked at. */
function formatVia(value: Via): string {
  const port = value.port === undefined ? "" : `:${value.port}`;
  return `SIP/2.0/${value.transport} ${value.host}${port}${value.params}`;
}

const field: KnownField<Via> = knownField(VIA, scanVia, formatVia);

/** The Via header: the way that a request came and its response goes back. RFC 3261 §20.42 */
export const via: HeaderField<Via> = field;
