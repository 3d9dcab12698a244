import { accessSync, closeSync, constants, mkdirSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

/** LMDB's magic number and the version of its format; after a header whose size depends on the machine. */
const MAGIC: Buffer = Buffer.from("dec0efbe02000000", "hex");
const HEAD_BYTES = 64;

/**
 * Makes the folder, for its owner alone, where there is none, and throws what the lmdb package would answer with the end
 * of the process: a folder or file that isn't ours to write, or a file of another kind.
 */
export function checkFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  for (const name of ["data.mdb", "lock.mdb"]) {
    const head = readHead(join(path, name));
    if (name === "lock.mdb" || head === undefined || head.length === 0) continue;
    if (!head.includes(MAGIC))
      throw new Error(`${join(path, name)} is no LMDB file, or of another version`);
  }
}

/** The first bytes of a file that can be written, too; `undefined` where there is none. */
function readHead(path: string): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}
