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

/** The version is the first line, for the script that compares it. */
export function encodeRecord({ version, due, bindings }: UserRecord): string {
  return `${version}\n${JSON.stringify([due ?? null, bindings])}`;
}

export function decodeRecord(text: string | null): UserRecord {
  if (text === null || text === "") return NO_RECORD;
  const end = text.indexOf("\n");
  const [due, bindings] = JSON.parse(text.slice(end + 1)) as [number | null, readonly Binding[]];
  return { version: text.slice(0, end), due: due ?? undefined, bindings };
}

/** When the first of some bindings ends. */
export function firstEnd(bindings: readonly Binding[]): number {
  return Math.min(...bindings.map(({ expiresAt }) => expiresAt));
}

/** When the last of some bindings ends. */
export function lastEnd(bindings: readonly Binding[]): number {
  return Math.max(...bindings.map(({ expiresAt }) => expiresAt));
}
