import { type Algorithm, hashHex } from "./algorithm.ts";

/**
 * What a digest response is computed over, besides HA1 and HA2. Each value is the one on the wire, without its quotes.
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
  algorithm: Algorithm = "MD5",
): string {
  return hashHex(algorithm, `${user}:${realm}:${password}`);
}

/**
 * HA2, the hash of method and `uri` parameter.
 *
 * RFC 7616 §3.4.3
 */
export function ha2Of(method: string, uri: string, algorithm: Algorithm): string {
  return hashHex(algorithm, `${method}:${uri}`);
}

/**
 * The `response` parameter in lower-case hex, for `qop=auth` or for no qop at all.
 *
 * RFC 7616 §3.4.1, RFC 2617 §3.2.2.1
 */
export function digestResponse(ha1: string, ha2: string, input: DigestInput): string {
  const { algorithm, nonce, qop, nc = "", cnonce = "" } = input;
  return hashHex(
    algorithm,
    qop === undefined ? `${ha1}:${nonce}:${ha2}` : `${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`,
  );
}
