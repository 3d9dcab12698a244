import type { Binding } from "@sipkit/registrar";

/** What is kept of a user who has bindings. */
export interface UserRecord {
  readonly addressOfRecord: string;
  /** Where the index has the user: the end of her first binding, or an earlier time. */
  readonly due: number;
  readonly bindings: readonly Binding[];
}

/** As JSON: bindings survive it, and members that this version doesn't know stay. */
export function encodeRecord({ addressOfRecord, due, bindings }: UserRecord): Buffer {
  return Buffer.from(JSON.stringify([addressOfRecord, due, bindings]));
}

/** `bytes` may be longer than what they hold: `length` counts. */
export function decodeRecord(bytes: Buffer): UserRecord {
  const [addressOfRecord, due, bindings] = JSON.parse(bytes.toString("utf8", 0, bytes.length)) as [
    string,
    number,
    readonly Binding[],
  ];
  return { addressOfRecord, due, bindings };
}

/** When the first of some bindings ends. */
export function firstEnd(bindings: readonly Binding[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { expiresAt } of bindings) first = Math.min(first, expiresAt);
  return first;
}
