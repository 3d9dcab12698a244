import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { blocks, pages, ROOT } from "./pages.ts";

/** All but the guide, whose code is in files beside this one. */
const PAGES = pages().filter((page) => page !== "docs/writing-a-handler.md");

// Inside test/, so that packages are found; hidden and called dist, so that no tool takes it for sources.
const parent = join(ROOT, "test/docs/.blocks/dist");
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, "run-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Each block of the pages in a file of its own. */
const files = PAGES.flatMap((page) =>
  blocks(page, "ts").map((block, at) => {
    const path = join(folder, `${page.replaceAll(/[/.]/g, "-")}-${at + 1}.ts`);
    writeFileSync(path, block);
    return { path, block };
  }),
);

/** What the compiler says of the files, by the repository's rules but those that only keep sources tidy. */
async function compile(): Promise<string> {
  const compilerOptions = {
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  };
  const project = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions,
    include: [],
    files: files.map(({ path }) => path),
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(project));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const run = promisify(execFile)(process.execPath, [tsc, "--pretty", "false", "-p", folder]);
  return run.then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string }) => error.stdout || String(error),
  );
}

describe("code in the pages", () => {
  it("compiles", { timeout: 60_000 }, async () => {
    expect(files.length).toBeGreaterThan(4);
    expect(await compile()).toBe("");
  });
});

// The tests that are shown pass: they are among this file's.
for (const { path, block } of files) {
  if (block.includes('from "vitest"')) await import(path);
}
