import { SipError } from "@sipkit/core";
import { type Database, open, type RootDatabase } from "lmdb";
import { checkFolder } from "./check-folder.ts";

/** The layout of what is stored, to be raised when it changes. */
const FORMAT = "1";

/** A table of bytes by bytes, in the order of the keys. */
export type Table = Database<Uint8Array, Uint8Array>;

/** The file's tables. */
export interface Tables {
  readonly root: RootDatabase<Uint8Array, Uint8Array>;
  /** The record of each user who has bindings. */
  readonly users: Table;
  /** Users by the time when one of their bindings ends, or may end. */
  readonly ends: Table;
  /** Of users who had bindings the number of their departure; and these users by number. */
  readonly departed: Table;
  readonly departures: Table;
}

const BINARY = { keyEncoding: "binary", encoding: "binary" } as const;

/**
 * Opens a folder, and makes it, for its owner alone, where there is none.
 *
 * Without `overlappingSync` a commit is LMDB's own: data, flush, meta page, flush. What it has acknowledged survives
 * the machine, and the write lock is given on when everything is on the disk.
 */
export function openTables(path: string): Tables {
  let root: Tables["root"] | undefined;
  try {
    checkFolder(path);
    root = open({ path, noSubdir: false, overlappingSync: false, ...BINARY });
    checkFormat(root);
    return {
      root,
      users: root.openDB("users", BINARY),
      ends: root.openDB("ends", BINARY),
      departures: root.openDB("departures", BINARY),
      departed: root.openDB("departed", BINARY),
    };
  } catch (cause) {
    void root?.close();
    if (cause instanceof SipError) throw cause;
    const why = cause instanceof Error ? cause.message : cause;
    throw new SipError("SIP_BAD_STORE", `${path} can't be opened as a store: ${why}`, { cause });
  }
}

function checkFormat(root: Tables["root"]): void {
  const about = root.openDB<Uint8Array, Uint8Array>("about", BINARY);
  const key = Buffer.from("format");
  const format = root.transactionSync(() => {
    const found = about.getBinary(key)?.toString();
    if (found === undefined) about.putSync(key, Buffer.from(FORMAT));
    return found ?? FORMAT;
  });
  if (format === FORMAT) return;
  throw new SipError(
    "SIP_BAD_STORE",
    `the store has format ${format}, this version reads ${FORMAT}`,
  );
}
