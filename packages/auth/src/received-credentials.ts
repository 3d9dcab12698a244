import { type authorization, type HeaderField, ParseError, type Request } from "@sipkit/core";
import { type Algorithm, parseAlgorithm } from "./algorithm.ts";

/** Digest credentials as they came, complete and of an algorithm that was offered. */
export interface ReceivedCredentials {
  readonly user: string;
  readonly algorithm: Algorithm;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** Left out: computed as RFC 2069 did. */
  readonly qop?: string;
  /** As written: eight hex digits. */
  readonly nc?: string;
  readonly cnonce?: string;
  /** What `nc` says; 1 without it, so that a nonce without counts can be used once. */
  readonly count: number;
}

/** What an Authorization or Proxy-Authorization line holds. */
export type HeaderCredentials = ReturnType<(typeof authorization)["parse"]>;

export type CredentialsField = HeaderField<HeaderCredentials>;

const DIGEST = /^\s*digest\s/i;
const NONCE_COUNT = /^[0-9a-f]{8}$/i;

/** The Digest credentials of one line; `undefined` for another scheme. Those of a single line are parsed once. */
function digestOf(
  request: Request,
  field: CredentialsField,
  lines: readonly string[],
  line: string,
): HeaderCredentials["params"] | undefined {
  if (!DIGEST.test(line)) return undefined;
  return (lines.length === 1 ? request.headers.read(field) : field.parse(line))?.params;
}

/**
 * The credentials of a request for a realm, in the first of `offered` that there are some of. Those for other realms,
 * of other schemes and of algorithms that weren't offered are passed over. Throws a `ParseError` for Digest
 * credentials that are malformed, and for two of one realm and algorithm.
 *
 * RFC 3261 §22.4, RFC 8760 §2.4
 */
export function receivedCredentials(
  request: Request,
  field: CredentialsField,
  realm: string,
  offered: readonly Algorithm[],
): ReceivedCredentials | undefined {
  if (!request.headers.has(field.name)) return undefined;
  let best: ReadonlyMap<string, string> | undefined;
  let rank = offered.length;
  const lines = request.headers.getAll(field.name);
  for (const line of lines) {
    const params = digestOf(request, field, lines, line);
    if (params?.get("realm") !== realm) continue;
    const algorithm = parseAlgorithm(params.get("algorithm"));
    const place = algorithm === undefined ? -1 : offered.indexOf(algorithm);
    if (place < 0) continue;
    if (place === rank) throw malformed(field, "two for one realm and algorithm");
    if (place > rank) continue;
    best = params;
    rank = place;
  }
  const algorithm = offered[rank];
  return best && algorithm && complete(best, algorithm, field);
}

/** RFC 7616 §3.4 */
function complete(
  params: ReadonlyMap<string, string>,
  algorithm: Algorithm,
  field: CredentialsField,
): ReceivedCredentials {
  const need = (name: string): string => {
    const value = params.get(name);
    if (value === undefined) throw malformed(field, `no ${name}`);
    return value;
  };
  const base = {
    user: need("username"),
    algorithm,
    nonce: need("nonce"),
    uri: need("uri"),
    response: need("response"),
  };
  const qop = params.get("qop");
  if (qop === undefined) return { ...base, count: 1 };
  const nc = need("nc");
  const count = Number.parseInt(nc, 16);
  if (!NONCE_COUNT.test(nc) || count === 0) throw malformed(field, "nc");
  return { ...base, qop, nc, cnonce: need("cnonce"), count };
}

/**
 * Takes a realm's credentials out of a request, so that nobody behind us can work on them. A line that can't be read
 * stays: it is nobody's.
 *
 * RFC 3261 §22.3
 */
export function removeCredentials(
  request: Request,
  fields: readonly CredentialsField[],
  realm: string,
): void {
  for (const field of fields) {
    if (!request.headers.has(field.name)) continue;
    const lines = request.headers.getAll(field.name);
    const isOther = (line: string): boolean => {
      try {
        return digestOf(request, field, lines, line)?.get("realm") !== realm;
      } catch (error) {
        if (error instanceof ParseError) return true;
        throw error;
      }
    };
    const others = lines.filter(isOther);
    if (others.length === 0) request.headers.delete(field.name);
    else if (others.length < lines.length) request.headers.set(field.name, others);
  }
}

function malformed(field: CredentialsField, what: string): ParseError {
  return new ParseError(`Malformed ${field.name}: ${what}`, { header: field.name });
}
