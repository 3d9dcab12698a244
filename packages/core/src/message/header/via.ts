import { ParseError } from "../../errors.ts";
import { isDigit, isHostCode, isTokenCode, isValueCode } from "../chars.ts";
import type { HeaderField } from "../header-field.ts";
import { VIA } from "../header-names.ts";
import { hostEnd } from "../host.ts";
import {
  digitsEnd,
  digitsOf,
  isPart,
  isSip20,
  isWord,
  skipSpace,
  tokenEnd,
  trimSpace,
} from "../octets.ts";
import { checkParams, findParam, Params, paramsOf, valueOfParam } from "../params.ts";
import type { Wire } from "../wire.ts";
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

const SP = 0x20;
const SLASH = 0x2f;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const MAX_PORT = 65535;

function malformed(what: string, offset: number): ParseError {
  return new ParseError(`Malformed Via: ${what}`, { header: "Via", offset });
}

/** Where the transport begins: after `SIP/2.0/`, around whose slashes white space may stand. */
function transportStart(octets: Uint8Array, start: number, end: number): number {
  // All but the strangest spell it so.
  if (isSip20(octets, start) && octets[start + 7] === SLASH)
    return skipSpace(octets, start + 8, end);
  const name = skipSpace(octets, start, end);
  const nameStop = tokenEnd(octets, name, end);
  let i = skipSpace(octets, nameStop, end);
  if (!isWord(octets, name, nameStop, "sip") || octets[i] !== SLASH) {
    throw malformed("the protocol", name);
  }
  const version = skipSpace(octets, i + 1, end);
  const versionStop = tokenEnd(octets, version, end);
  i = skipSpace(octets, versionStop, end);
  if (!isPart(octets, version, versionStop, "2.0") || octets[i] !== SLASH) {
    throw malformed("the protocol version", version);
  }
  return skipSpace(octets, i + 1, end);
}

/** Where sent-by begins after a transport that begins at `transport`. */
function sentByStart(octets: Uint8Array, transport: number, end: number): number {
  const stop = tokenEnd(octets, transport, end);
  if (stop === transport) throw malformed("the transport", transport);
  const start = skipSpace(octets, stop, end);
  if (start === stop) throw malformed("sent-by", start);
  return start;
}

/** Where the digits of the port begin after a host that ends at `host`; -1 when there is no port. */
function portStart(octets: Uint8Array, host: number, end: number): number {
  const colon = skipSpace(octets, host, end);
  return colon < end && octets[colon] === COLON ? skipSpace(octets, colon + 1, end) : -1;
}

/** Where the digits that begin at `start` end. Throws when they are no port. */
function portEnd(octets: Uint8Array, start: number, end: number): number {
  const stop = digitsEnd(octets, start, end);
  if (digitsOf(octets, start, stop, MAX_PORT) < 0) throw malformed("the port", start);
  return stop;
}

/**
 * Reads a Via as nearly all are written: without white space but the one, without quotes, and without IPv6 in sent-by.
 * `undefined` for any other.
 */
function quickVia(wire: Wire, start: number, end: number): Via | undefined {
  const { text, octets } = wire;
  const transport = start + 8;
  if (!isSip20(octets, start) || octets[start + 7] !== SLASH) return undefined;
  let i = transport;
  while (isTokenCode(octets[i] ?? 0)) i++;
  if (i === transport || octets[i] !== SP) return undefined;
  const transportEnd = i;
  const host = ++i;
  while (isHostCode(octets[i] ?? 0)) i++;
  if (i === host) return undefined;
  const hostStop = i;
  let port: number | undefined;
  if (octets[i] === COLON) {
    port = 0;
    i++;
    while (isDigit(octets[i] ?? 0)) port = port * 10 + (octets[i++] ?? 0) - 0x30;
    if (i === hostStop + 1 || port > MAX_PORT) return undefined;
  }
  const params = i;
  let branch: string | undefined;
  let received: string | undefined;
  let rport: number | true | undefined;
  while (octets[i] === SEMICOLON) {
    const name = ++i;
    while (isTokenCode(octets[i] ?? 0)) i++;
    if (i === name) return undefined;
    const nameStop = i;
    let value: string | undefined;
    if (octets[i] === EQUALS) {
      i++;
      while (isValueCode(octets[i] ?? 0)) i++;
      if (i === nameStop + 1) return undefined;
      value = text.slice(nameStop + 1, i);
    }
    if (isWord(octets, name, nameStop, "branch")) branch ??= value;
    else if (isWord(octets, name, nameStop, "rport")) rport ??= rportOf(value);
    else if (isWord(octets, name, nameStop, "received")) received ??= value;
  }
  if (i !== end) return undefined;
  return {
    transport: transportName(wire, transport, transportEnd),
    host: text.slice(host, hostStop),
    port,
    sentBy: text.slice(host, params),
    params: params === end ? Params.empty : new Params(wire, params, end),
    branch,
    received,
    rport,
  };
}

const PICKED = ["branch", "received"];

function scanVia(wire: Wire, start: number, end: number): Via {
  const quick = quickVia(wire, start, end);
  if (quick !== undefined) return quick;
  const { text, octets } = wire;
  const transport = transportStart(octets, start, end);
  const sentBy = sentByStart(octets, transport, end);
  const hostStop = hostEnd(octets, sentBy, end);
  if (hostStop < 0) throw malformed("sent-by", sentBy);
  const host = text.slice(sentBy, hostStop);
  const portAt = portStart(octets, hostStop, end);
  const portStop = portAt < 0 ? hostStop : portEnd(octets, portAt, end);
  const port = portAt < 0 ? undefined : digitsOf(octets, portAt, portStop, MAX_PORT);
  const params = skipSpace(octets, portStop, end);
  checkParams(wire, params, end, "Via");
  const [branch, received] = paramsOf(wire, params, end, PICKED);
  const rport = findParam(wire, params, end, "rport");
  return {
    transport: transportName(wire, transport, tokenEnd(octets, transport, end)),
    host,
    port,
    sentBy: port === undefined ? host : `${host}:${port}`,
    params:
      params === end ? Params.empty : new Params(wire, params, trimSpace(octets, params, end)),
    branch,
    received,
    rport: rport < 0 ? undefined : rportOf(valueOfParam(wire, rport, end)),
  };
}

/** A Via with other parameters, `received` and `rport` among them. RFC 3581 §4 */
export function stampedVia(
  value: Via,
  params: string,
  received: string | undefined,
  rport: number | undefined,
): Via {
  return {
    transport: value.transport,
    host: value.host,
    port: value.port,
    sentBy: value.sentBy,
    params: new Params(params),
    branch: value.branch,
    received,
    rport,
  };
}

function transportName({ text, octets }: Wire, start: number, end: number): string {
  if (isWord(octets, start, end, "udp")) return "UDP";
  if (isWord(octets, start, end, "tcp")) return "TCP";
  return text.slice(start, end).toUpperCase();
}

const PORT = /^\d{1,5}$/;

function rportOf(value: string | undefined): number | true {
  const port = value !== undefined && PORT.test(value) ? Number(value) : MAX_PORT + 1;
  return port > MAX_PORT ? true : port;
}

/** Writes a Via from transport, host, port and params; the shortcuts beside them are not looked at. */
function formatVia(value: Via): string {
  const port = value.port === undefined ? "" : `:${value.port}`;
  return `SIP/2.0/${value.transport} ${value.host}${port}${value.params}`;
}

/** The Via header: the way that a request came and its response goes back. RFC 3261 §20.42 */
export const via: HeaderField<Via> = knownField(VIA, scanVia, formatVia);
