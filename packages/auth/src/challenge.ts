import { SipError } from "@sipkit/core";
import { type Algorithm, algorithms } from "./algorithm.ts";
import type { Qop } from "./digest.ts";
import { NONCE_LENGTH } from "./nonces.ts";

/** What the challenges of a realm have in common. */
export interface ChallengeParts {
  readonly realm: string;
  readonly opaque?: string | undefined;
  readonly qop: readonly Qop[];
  /** Whether names may be sent as hashes. */
  readonly userhash: boolean;
}

/** Writes a challenge: the value of a WWW-Authenticate or Proxy-Authenticate header. */
export type ChallengeWriter = (nonce: string, algorithm: Algorithm, stale: boolean) => string;

/**
 * Makes the writer of a realm's challenges. Realm and opaque must have passed {@link quotable}.
 *
 * RFC 7616 §3.3, RFC 8760 §2.6
 */
export function challengeWriter({ realm, opaque, qop, userhash }: ChallengeParts): ChallengeWriter {
  const start = `Digest realm="${realm}", nonce="`;
  const fresh = `"${opaque === undefined ? "" : `, opaque="${opaque}"`}, algorithm=`;
  // The digest was right, only the nonce is too old: the client tries again without asking its user.
  const old = fresh.replace(/, algorithm=$/, ", stale=true, algorithm=");
  const end = `, qop="${qop.join(",")}"${userhash ? ", userhash=true" : ""}`;
  return (nonce, algorithm, stale) => start + nonce + (stale ? old : fresh) + algorithm + end;
}

/** How many bytes a challenge takes at most. */
export function longestChallenge(parts: ChallengeParts): number {
  const write = challengeWriter(parts);
  const nonce = "-".repeat(NONCE_LENGTH);
  return Math.max(
    ...algorithms.map((algorithm) => Buffer.byteLength(write(nonce, algorithm, true))),
  );
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
