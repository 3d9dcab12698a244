import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, read, rows } from "../docs/pages.ts";

const PAGE = "docs/security-tests.md";
const FOLDER = "test/security";
const ADVISORY = /\b(?:CVE-\d{4}-\d+|AST-\d{4}-\d+|ES\d{4}-\d+|GHSA(?:-\w{4}){3})\b/g;

const page = read(PAGE);
const tests = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith(".test.ts"));

/** The texts of a file that titles stand in. */
function titles(file: string): string {
  return read(file).replaceAll(/\s+/g, " ");
}

describe(PAGE, () => {
  it("lists every advisory that a test is named after, and no other", () => {
    const named = tests.flatMap((name) => read(join(FOLDER, name)).match(ADVISORY) ?? []);
    const listed = page.match(ADVISORY) ?? [];
    expect([...new Set(listed)].toSorted()).toEqual([...new Set(named)].toSorted());
  });

  it("names tests that exist", () => {
    const links = [...page.matchAll(/\]\(\.\.\/(\S+\.test\.ts) "([^"]*)"\)/g)];
    const missing = links.filter(
      ([, file = "", title = ""]) => !titles(file).includes(`"${title}"`),
    );
    expect(links.length).toBeGreaterThan(40);
    expect(missing.map(([link]) => link)).toEqual([]);
  });

  it.each(tests.filter((name) => name !== "page.test.ts"))("links to %s", (name) => {
    expect(page).toContain(`(../${FOLDER}/${name} "`);
  });

  it("has a test, and what we answer, in each row", () => {
    const cells = rows(page);
    expect(cells.length).toBeGreaterThan(35);
    expect(
      cells.filter(([, , test = "", answer = ""]) => !test.includes(".test.ts") || answer === ""),
    ).toEqual([]);
  });
});
