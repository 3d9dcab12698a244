import { SipError } from "@sipkit/core";
import type { Algorithm } from "./algorithm.ts";

/** What a challenge says. */
export interface ChallengeParts {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: Algorithm;
  readonly opaque: string | undefined;
  /** The digest was right, only the nonce is too old: the client tries again without asking its user. */
  readonly stale: boolean;
}

/**
 * The value of a WWW-Authenticate or Proxy-Authenticate header. Realm and opaque must have passed {@link quotable}.
 *
 * RFC 7616 §3.3, RFC 8760 §2.6
 */
export function formatChallenge({
  realm,
  nonce,
  algorithm,
  opaque,
  stale,
}: ChallengeParts): string {
  const echoed = opaque === undefined ? "" : `, opaque="${opaque}"`;
  const old = stale ? ", stale=true" : "";
  return `Digest realm="${realm}", nonce="${nonce}"${echoed}${old}, algorithm=${algorithm}, qop="auth"`;
}

/**
 * Checks that a text can stand between quotes as it is. Escapes are possible in SIP, but clients disagree whether they
 * are part of what is hashed.
 */
export function quotable(name: string, text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (typeof text !== "string" || text === "" || /["\\\u0000-\u001f\u007f]/.test(text)) {
    throw new SipError(
      "SIP_BAD_OPTION",
      `${name} must be text without quotes, backslashes and controls`,
    );
  }
  return text;
}
