import { ParseError, SipError } from "../../errors.ts";
import {
  isToken,
  isTokenCode,
  quote,
  skipQuoted,
  skipSpace,
  trimSpace,
  unquote,
} from "../chars.ts";
import type { KnownField } from "../header-field.ts";
import { headerName } from "../header-names.ts";
import { knownField } from "./known-field.ts";

/** What an Authorization header holds. */
export interface Credentials {
  /** As written, as `Digest`. */
  readonly scheme: string;
  /** By lower-case name, without quotes. A scheme without parameters of that shape has its text under `""`. */
  readonly params: ReadonlyMap<string, string>;
}

/** What a challenge holds. */
export type Challenge = Credentials;

/** More parameters than this are no credentials. */
const MAX_PARAMS = 64;

/** The parameters that are tokens and are written without quotes. RFC 3261 §25.1, RFC 7616 §3.3 */
const UNQUOTED = new Set(["algorithm", "stale", "nc"]);

function scanParams(
  text: string,
  start: number,
  end: number,
  header: string,
): ReadonlyMap<string, string> {
  const malformed = (what: string, offset: number): ParseError =>
    new ParseError(`Malformed ${header}: ${what}`, { header, offset });
  const params = new Map<string, string>();
  let i = start;
  while (i < end) {
    i = skipSpace(text, i, end);
    const name = i;
    while (i < end && isTokenCode(text.charCodeAt(i))) i++;
    const key = text.slice(name, i).toLowerCase();
    i = skipSpace(text, i, end);
    if (key === "" || text.charCodeAt(i) !== 0x3d) throw malformed("a parameter", name);
    i = skipSpace(text, i + 1, end);
    const value = i;
    const quoted = text.charCodeAt(i) === 0x22;
    if (quoted) i = skipQuoted(text, i, end);
    else while (i < end && text.charCodeAt(i) !== 0x2c && text.charCodeAt(i) > 0x20) i++;
    if (i < 0 || i === value) throw malformed("a parameter's value", value);
    const written = text.slice(value, i);
    if (params.has(key)) throw malformed("a parameter twice", name);
    if (params.size === MAX_PARAMS) throw malformed("too many parameters", name);
    params.set(key, quoted ? unquote(written) : written);
    i = skipSpace(text, i, end);
    if (i < end && text.charCodeAt(i) !== 0x2c) throw malformed("no comma", i);
    i++;
  }
  return params;
}

function scanAuth(text: string, start: number, end: number, header: string): Credentials {
  const first = skipSpace(text, start, end);
  const last = trimSpace(text, first, end);
  let i = first;
  while (i < last && isTokenCode(text.charCodeAt(i))) i++;
  if (i === first) throw new ParseError(`Malformed ${header}: no scheme`, { header, offset: i });
  const rest = skipSpace(text, i, last);
  return { scheme: text.slice(first, i), params: scanParams(text, rest, last, header) };
}

function formatAuth(value: Credentials): string {
  const written = [...value.params].map(([name, param]) => {
    if (!isToken(name)) throw new SipError("SIP_BAD_HEADER", "a parameter's name must be a token");
    const bare = UNQUOTED.has(name) || (name === "qop" && value.params.has("nc"));
    return `${name}=${bare && isToken(param) ? param : quote(param)}`;
  });
  return `${value.scheme} ${written.join(", ")}`;
}

/** A field of credentials or of a challenge; both are written alike. */
export function authField(id: number): KnownField<Credentials> {
  const name = headerName(id);
  return knownField(id, (text, start, end) => scanAuth(text, start, end, name), formatAuth);
}
