import { type Algorithm, type HashAlgorithm, hashHex, isSession } from "./algorithm.ts";

/** What a digest covers: `auth` method and URI, `auth-int` the body too. RFC 7616 §3.4 */
export type Qop = "auth" | "auth-int";

/**
 * What a digest response is computed over, besides the key and HA2. Each value is the one on the wire, without its
 * quotes.
 */
export interface DigestInput {
  readonly algorithm: Algorithm;
  readonly nonce: string;
  /** Left out: computed as RFC 2069 did, without `nc` and `cnonce`. */
  readonly qop?: string | undefined;
  /** Eight hex digits. */
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
}

/**
 * HA1, the hash of user, realm and password: what a server can store in the password's place. It is as good as the
 * password within its realm, so keep it as secret.
 *
 * RFC 7616 §3.4.2
 *
 * @example
 * const credentials = { alice: { ha1: { MD5: ha1Of("alice", "example.com", "secret") } } };
 */
export function ha1Of(
  user: string,
  realm: string,
  password: string,
  algorithm: HashAlgorithm = "MD5",
): string {
  return hashHex(algorithm, `${user}:${realm}:${password}`);
}

/**
 * The hash of user and realm, that a client sends in its name's place where the challenge asks for it.
 *
 * RFC 7616 §3.4.4
 */
export function userhashOf(user: string, realm: string, algorithm: Algorithm): string {
  return hashHex(algorithm, `${user}:${realm}`);
}

/**
 * The key of digests: HA1 itself, or for a session form the key of the session, which is made with the nonce and the
 * cnonce that it began with.
 *
 * Deviation: the server takes the cnonce of the request at hand for the one that the session began with, since it would
 * have to remember that. It suits clients that keep theirs, as ours does, and those that make the key anew with each.
 *
 * RFC 7616 §3.4.2
 */
export function digestKey(
  ha1: string,
  { algorithm, nonce, cnonce = "" }: Pick<DigestInput, "algorithm" | "nonce" | "cnonce">,
): string {
  return isSession(algorithm) ? hashHex(algorithm, `${ha1}:${nonce}:${cnonce}`) : ha1;
}

/**
 * HA2, the hash of method and `uri` parameter; for `auth-int` of the body, too. Without a method it is a response's.
 *
 * RFC 7616 §3.4.3, §3.5; RFC 8760 §2.6 point 7: no body counts as an empty one
 */
export function ha2Of(
  method: string,
  uri: string,
  algorithm: Algorithm,
  body?: Uint8Array,
): string {
  const integrity = body === undefined ? "" : `:${hashHex(algorithm, body)}`;
  return hashHex(algorithm, `${method}:${uri}${integrity}`);
}

/**
 * The `response` or `rspauth` parameter in lower-case hex, with a qop or without.
 *
 * RFC 7616 §3.4.1, RFC 2617 §3.2.2.1
 */
export function digestResponse(key: string, ha2: string, input: DigestInput): string {
  const { algorithm, nonce, qop, nc = "", cnonce = "" } = input;
  return hashHex(
    algorithm,
    qop === undefined ? `${key}:${nonce}:${ha2}` : `${key}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`,
  );
}
