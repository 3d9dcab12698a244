import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

/** A new folder for what a test writes. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sipkit-interop-"));
  folders.push(folder);
  return folder;
}

/** Removes the folders that were made; for `afterEach`. */
export async function removeScratchFolders(): Promise<void> {
  const remove = folders.splice(0);
  await Promise.all(remove.map((folder) => rm(folder, { recursive: true, force: true })));
}
