import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Builds the packages as `pnpm build` does: some seconds once, less than one when nothing has changed.
 *
 * What is measured is the plain JavaScript that is published. tsx makes other code of the sources: it
 * wraps functions to keep their names.
 */
export function buildPackages(): void {
  const root = join(import.meta.dirname, "..");
  const projects = readdirSync(join(root, "packages")).map((name) =>
    join("packages", name, "tsconfig.build.json"),
  );
  const { error, status, stdout } = spawnSync(
    join(root, "node_modules", ".bin", "tsc"),
    ["-b", ...projects],
    { cwd: root, encoding: "utf8" },
  );
  if (error !== undefined || status !== 0) {
    throw new Error(`the packages don't build: ${error?.message ?? stdout.trim()}`);
  }
}
