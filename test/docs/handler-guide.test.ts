import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { blocks, ROOT, read } from "./pages.ts";

const PAGE = "docs/writing-a-handler.md";
const FOLDERS = ["test/docs/handler-guide", "test/types"];

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder)).map((name) => flush(read(join(folder, name)))),
);

/** Without indentation: a part of a function stands at the margin of the page. */
function flush(code: string): string {
  return code.replaceAll(/^ +/gm, "");
}

it("shows code that is in files, which compile and pass", () => {
  const shown = blocks(PAGE, "ts").map(flush);
  expect(shown.length).toBeGreaterThan(10);
  expect(shown.filter((block) => !files.some((file) => file.includes(block)))).toEqual([]);
});

it("shows a manifest with the peer range that our own packages have", () => {
  const [manifest = ""] = blocks(PAGE, "json");
  const { peerDependencies } = JSON.parse(read("packages/registrar/package.json"));
  expect(JSON.parse(manifest)).toMatchObject({ type: "module", peerDependencies });
});
