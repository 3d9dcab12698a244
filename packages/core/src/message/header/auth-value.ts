import { ParseError, SipError } from "../../errors.ts";
import type { KnownField } from "../header-field.ts";
import { headerName } from "../header-names.ts";
import { skipSpace, tokenEnd, trimSpace } from "../octets.ts";
import { isTokenText, quote } from "../text.ts";
import type { Wire } from "../wire.ts";
import { AuthParams, authParamOf } from "./auth-params.ts";
import { knownField } from "./known-field.ts";

/** What an Authorization header holds. */
export interface Credentials {
  /** As written, as `Digest`. */
  readonly scheme: string;
  /** By lower-case name, without quotes. One token in the place of parameters is under `""`. */
  readonly params: ReadonlyMap<string, string>;
}

/** What a challenge holds. */
export type Challenge = Credentials;

/** The parameters that are tokens and are written without quotes. RFC 3261 §25.1, RFC 7616 §3.3 */
const UNQUOTED = new Set(["algorithm", "stale", "nc", "userhash"]);

/** One token in the place of parameters, as in `Bearer` credentials. RFC 7235 §2.1 */
const TOKEN68 = /^[\w.~+/-]+=*$/;

function scanAuth(wire: Wire, start: number, end: number, header: string): Credentials {
  const { text, octets } = wire;
  const first = skipSpace(octets, start, end);
  const last = trimSpace(octets, first, end);
  const stop = tokenEnd(octets, first, last);
  const rest = skipSpace(octets, stop, last);
  if (stop === first || (rest === stop && stop < last)) {
    throw new ParseError(`Malformed ${header}: no scheme`, { header, offset: stop });
  }
  const scheme = text.slice(first, stop);
  const comma = text.indexOf(",", rest);
  if ((comma < 0 || comma >= last) && TOKEN68.test(text.slice(rest, last))) {
    return { scheme, params: new Map([["", text.slice(rest, last)]]) };
  }
  return { scheme, params: new AuthParams(wire, rest, last, header) };
}

function formatAuth(value: Credentials): string {
  const written = [...value.params].map(([name, param]) => {
    if (name === "") return param;
    if (!isTokenText(name))
      throw new SipError("SIP_BAD_HEADER", "a parameter's name must be a token");
    const bare = UNQUOTED.has(name) || (name === "qop" && value.params.has("nc"));
    return `${name}=${bare && isTokenText(param) ? param : quote(param)}`;
  });
  return `${value.scheme} ${written.join(", ")}`;
}

/** A field of credentials or of a challenge; both are written alike. */
export function authField(id: number): KnownField<Credentials> {
  const name = headerName(id);
  const scan = (wire: Wire, start: number, end: number): Credentials =>
    scanAuth(wire, start, end, name);
  return { ...knownField(id, scan, formatAuth), param: authParamOf };
}
