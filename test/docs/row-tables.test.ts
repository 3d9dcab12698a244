import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { links, ROOT, read, rows } from "./pages.ts";

/** The rows of a page's tables that have a name such as `E5`: name, and the cells after it. */
function named(page: string, letters: string): readonly (readonly [string, readonly string[]])[] {
  return rows(read(page)).flatMap(([first = "", ...cells]) => {
    const [, name] = new RegExp(`^([${letters}]\\d+)\\b`).exec(first) ?? [];
    return name === undefined ? [] : [[name, cells] as const];
  });
}

function numbered(letter: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${letter}${at + 1}`);
}

describe.each([
  ["docs/authentication.md", numbered("D", 22)],
  ["docs/registrar.md", [...numbered("R", 26), ...numbered("E", 18)]],
])("the rows of %s", (page, names) => {
  const letters = [...new Set(names.map((name) => name[0]))].join("");
  const all = named(page, letters);

  it("are all there, each once", () => {
    expect(all.map(([name]) => name).toSorted()).toEqual(names.toSorted());
  });

  it("have a source and a test where they are done, and say what is missing elsewhere", () => {
    const bad = all.filter(([, cells]) => {
      const [status = "", tests = "", source = ""] = cells.toReversed();
      if (status === "") return true;
      const linked = links(tests).filter((link) => link.endsWith(".test.ts"));
      const exist = linked.every((link) => existsSync(join(ROOT, "docs", link)));
      return status.startsWith("done") && (linked.length === 0 || !exist || source === "–");
    });
    expect(bad.map(([name]) => name)).toEqual([]);
  });
});
