import { type AuthValue, type HeaderField, ParseError, type Request } from "@sipkit/core";
import { type Algorithm, parseAlgorithm } from "./algorithm.ts";

/** Digest credentials as they came, complete and of an algorithm that was offered. */
export interface ReceivedCredentials {
  readonly user: string;
  /** Whether the user's name came as its hash. */
  readonly isHashed: boolean;
  readonly algorithm: Algorithm;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** As written. Left out: computed as RFC 2069 did. */
  readonly qop: string | undefined;
  /** As written: eight hex digits. */
  readonly nc: string | undefined;
  readonly cnonce: string | undefined;
  /** What `nc` says; 1 without it, so that a nonce without counts can be used once. */
  readonly count: number;
}

/** Authorization or Proxy-Authorization. */
export type CredentialsField = HeaderField<AuthValue>;

const DIGEST = /^\s*digest\s/i;
const NONCE_COUNT = /^[0-9a-f]{8}$/i;

/** The parameters of one line's credentials; `undefined` for another scheme than Digest. */
function digestOf(line: string, field: CredentialsField): AuthValue["params"] | undefined {
  return DIGEST.test(line) ? field.parse(line).params : undefined;
}

/**
 * The parameters of a request that has a single line of credentials, as nearly every one has. It is parsed only once.
 */
function onlyDigest(
  request: Request,
  field: CredentialsField,
  lines: readonly string[],
): AuthValue["params"] | undefined {
  if (lines.length !== 1 || !DIGEST.test(lines[0] ?? "")) return undefined;
  return request.headers.read(field)?.params;
}

/** What credentials are looked for. */
export interface Wanted {
  readonly realm: string;
  /** The algorithms that were offered, the preferred one first. */
  readonly offered: readonly Algorithm[];
  /** Whether names may come as hashes. */
  readonly userhash: boolean;
}

/**
 * The credentials of a request for a realm, in the first of the algorithms offered that there are some of. Those for
 * other realms, of other schemes and of algorithms that weren't offered are passed over. Throws a `ParseError` for
 * Digest credentials that are malformed, and for two of one realm and algorithm.
 *
 * RFC 3261 §22.4, RFC 8760 §2.4
 */
export function receivedCredentials(
  request: Request,
  field: CredentialsField,
  { realm, offered, userhash }: Wanted,
): ReceivedCredentials | undefined {
  const lines = request.headers.getAll(field.name);
  let best: AuthValue["params"] | undefined;
  let rank = offered.length;
  let seen = 0;
  for (const line of lines) {
    const params = onlyDigest(request, field, lines) ?? digestOf(line, field);
    if (params?.get("realm") !== realm) continue;
    const algorithm = parseAlgorithm(params.get("algorithm"));
    const place = algorithm === undefined ? -1 : offered.indexOf(algorithm);
    if (place < 0) continue;
    if ((seen & (1 << place)) !== 0) throw malformed(field, "two for one realm and algorithm");
    seen |= 1 << place;
    if (place > rank) continue;
    best = params;
    rank = place;
  }
  const algorithm = offered[rank];
  return best && algorithm && complete(best, algorithm, field, userhash);
}

/** RFC 7616 §3.4 */
function complete(
  params: AuthValue["params"],
  algorithm: Algorithm,
  field: CredentialsField,
  userhash: boolean,
): ReceivedCredentials {
  const qop = params.get("qop");
  const credentials = {
    user: params.get("username") ?? extendedUser(params, field),
    isHashed: userhash && isHashed(params, field),
    algorithm,
    nonce: need(params, "nonce", field),
    uri: need(params, "uri", field),
    response: need(params, "response", field),
    qop,
    nc: qop && need(params, "nc", field),
    cnonce: qop && need(params, "cnonce", field),
    count: 1,
  };
  if (credentials.nc === undefined) return credentials;
  credentials.count = NONCE_COUNT.test(credentials.nc) ? Number.parseInt(credentials.nc, 16) : 0;
  if (credentials.count === 0) throw malformed(field, "nc");
  return credentials;
}

/** RFC 7616 §3.4: true or false, and false when left out. */
function isHashed(params: AuthValue["params"], field: CredentialsField): boolean {
  const value = params.get("userhash")?.toLowerCase();
  if (value !== undefined && value !== "true" && value !== "false") {
    throw malformed(field, "userhash");
  }
  return value === "true";
}

/**
 * The name that is written as percent-encoded UTF-8, as HTTP's clients do where quotes can't hold it.
 *
 * RFC 7616 §3.4, RFC 5987 §3.2
 */
function extendedUser(params: AuthValue["params"], field: CredentialsField): string {
  const value = params.get("username*");
  if (value === undefined) throw malformed(field, "no username");
  const encoded = /^utf-8'[a-z0-9-]*'([\w!#$&+.^`|~%-]*)$/i.exec(value)?.[1];
  try {
    if (encoded !== undefined) return decodeURIComponent(encoded);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  throw malformed(field, "username*");
}

function need(params: AuthValue["params"], name: string, field: CredentialsField): string {
  const value = params.get(name);
  if (value === undefined) throw malformed(field, `no ${name}`);
  return value;
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
    if (!isPresent(request, field)) continue;
    const lines = request.headers.getAll(field.name);
    const others = lines.filter((line) => !isOfRealm(request, field, lines, line, realm));
    if (others.length === 0) request.headers.delete(field.name);
    else if (others.length < lines.length) request.headers.set(field.name, others);
  }
}

/** Reading a header that isn't there costs less than listing its lines. */
function isPresent(request: Request, field: CredentialsField): boolean {
  try {
    return request.headers.read(field) !== undefined;
  } catch (error) {
    if (error instanceof ParseError) return true;
    throw error;
  }
}

function isOfRealm(
  request: Request,
  field: CredentialsField,
  lines: readonly string[],
  line: string,
  realm: string,
): boolean {
  try {
    const params = onlyDigest(request, field, lines) ?? digestOf(line, field);
    return params?.get("realm") === realm;
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

function malformed(field: CredentialsField, what: string): ParseError {
  return new ParseError(`Malformed ${field.name}: ${what}`, { header: field.name });
}
