import { Buffer } from "node:buffer";
import type { Protocol } from "@sipkit/core";

/** Wrong credentials, or an address that sends too much: what a `Throttle` tells. */
export interface AuthFailure {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reason: "credentials" | "rate";
  /** Where it came from, and not where it says. */
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly method: string;
  /** Whose credentials they were to be; left out where none were looked at. A stranger wrote it. */
  readonly user?: string;
  /** For how many milliseconds the address is banned from now on; 0: it isn't. */
  readonly bannedFor: number;
  /** For how many milliseconds credentials for the user aren't looked at, from this address at least; 0: they are. */
  readonly lockedFor: number;
}

/** Of a user's name, characters that are written. */
const LONGEST_USER = 64;

/**
 * A failure as a line that `fail2ban` and people read; its form stays as it is. The user's name has every byte but
 * letters, digits and `. _ + -` written as `%XX`, and is cut at 64 characters, so that it can't make another line or
 * another field.
 *
 * @example
 * new Throttle({ onFailure: (failure) => console.error(failureLine(failure)) });
 * // 2026-11-22T09:00:00.000Z sipkit auth failure from=192.0.2.7 user=alice reason=credentials method=REGISTER
 */
export function failureLine({ at, address, user, reason, method }: AuthFailure): string {
  const who = user === undefined || user === "" ? "-" : escaped(user.slice(0, LONGEST_USER));
  const what = escaped(method.slice(0, LONGEST_USER));
  // biome-ignore lint/style/noRestrictedGlobals: it writes a time down and asks for none
  const time = new Date(at).toISOString();
  return `${time} sipkit auth failure from=${address} user=${who} reason=${reason} method=${what}`;
}

function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9._+-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${hex(byte)}`).join(""),
  );
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}
