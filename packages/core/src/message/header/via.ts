import { ParseError } from "../../errors.ts";
import { isDigit, isHostCode, isTokenCode } from "../chars.ts";
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
import {
  checkParams,
  findParam,
  Params,
  paramsOf,
  quickParams,
  valueOfParam,
  valueStart,
} from "../params.ts";
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
 * {@link checkVia} for a Via as nearly all are written: without white space but the one, and without IPv6. -1 for any
 * other.
 */
function quickVia(wire: Wire, start: number, end: number): number {
  const { octets } = wire;
  if (!isSip20(octets, start) || octets[start + 7] !== SLASH) return -1;
  let i = start + 8;
  while (isTokenCode(octets[i] ?? 0)) i++;
  if (i === start + 8 || octets[i] !== SP) return -1;
  const host = ++i;
  while (isHostCode(octets[i] ?? 0)) i++;
  if (i === host) return -1;
  if (octets[i] === COLON) {
    let port = 0;
    const digits = ++i;
    while (isDigit(octets[i] ?? 0)) port = port * 10 + (octets[i++] ?? 0) - 0x30;
    if (i === digits || port > MAX_PORT) return -1;
  }
  return quickParams(wire, i, end, "branch");
}

/**
 * Checks one value between two positions and tells where the value of `branch` begins; 0 when there is none. Throws a
 * `ParseError`.
 */
export function checkVia(wire: Wire, start: number, end: number): number {
  const quick = quickVia(wire, start, end);
  if (quick >= 0) return quick;
  const { octets } = wire;
  const sentBy = sentByStart(octets, transportStart(octets, start, end), end);
  const host = hostEnd(octets, sentBy, end);
  if (host < 0) throw malformed("sent-by", sentBy);
  const port = portStart(octets, host, end);
  const params = skipSpace(octets, port < 0 ? host : portEnd(octets, port, end), end);
  checkParams(wire, params, end, "Via");
  return valueStart(wire, params, end, "branch");
}

const PICKED = ["branch", "received"];

function scanVia(wire: Wire, start: number, end: number): Via {
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
    transport: transportName(wire, transport, end),
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

function transportName({ text, octets }: Wire, start: number, end: number): string {
  const stop = tokenEnd(octets, start, end);
  if (isWord(octets, start, stop, "udp")) return "UDP";
  if (isWord(octets, start, stop, "tcp")) return "TCP";
  return text.slice(start, stop).toUpperCase();
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
