import { SipError } from "@sipkit/core";
import type { Binding } from "@sipkit/registrar";

/** What is kept of a user. */
export interface UserRecord {
  /** Another one after each change, never the same again; `""`: nothing is kept. */
  readonly version: string;
  /** Where the index has the user: the end of her first binding, or an earlier time. `undefined`: not in the index. */
  readonly due: number | undefined;
  readonly bindings: readonly Binding[];
}

const NO_RECORD: UserRecord = { version: "", due: undefined, bindings: [] };

/**
 * The version is the first line, for the script that compares it. What follows is a list of two; another format would be
 * something else there, so that servers which don't know it yet leave it alone.
 */
export function encodeRecord({ version, due, bindings }: UserRecord): string {
  return `${version}\n${JSON.stringify([due ?? null, bindings])}`;
}

/** Throws a `SipError` `SIP_BAD_STORE` for what isn't written so. */
export function decodeRecord(text: string | null): UserRecord {
  if (text === null || text === "") return NO_RECORD;
  const end = text.indexOf("\n");
  const [due, bindings] = parseList(text.slice(end + 1));
  return { version: text.slice(0, end), due: due ?? undefined, bindings };
}

function parseList(text: string): readonly [due: number | null, bindings: readonly Binding[]] {
  let cause: unknown;
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.length === 2 && Array.isArray(list[1])) {
      return list as [number | null, readonly Binding[]];
    }
  } catch (error) {
    cause = error;
  }
  throw new SipError("SIP_BAD_STORE", "a record is of another version, or not ours", { cause });
}

/** When the first of some bindings ends. */
export function firstEnd(bindings: readonly Binding[]): number {
  return Math.min(...bindings.map(({ expiresAt }) => expiresAt));
}

/** When the last of some bindings ends. */
export function lastEnd(bindings: readonly Binding[]): number {
  return Math.max(...bindings.map(({ expiresAt }) => expiresAt));
}
