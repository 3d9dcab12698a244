import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const ROOT = new URL("../..", import.meta.url);
const folder = new URL(".changeset/", ROOT);
const names = readdirSync(folder).filter((name) => name.endsWith(".md") && name !== "README.md");
const packages = readdirSync(new URL("packages/", ROOT));

/** Packages and versions between two lines of dashes, then what changed: what a formatter takes for a heading else. */
const FORM = /^---\n((?:"@sipkit\/[a-z-]+": (?:major|minor|patch)\n)+)---\n\n\S/;

describe.each(names)(".changeset/%s", (name) => {
  it("names packages that there are", () => {
    const [, heads = ""] = FORM.exec(readFileSync(new URL(name, folder), "utf8")) ?? [];
    const named = [...heads.matchAll(/@sipkit\/([a-z-]+)/g)].map(([, of]) => of);
    expect(named).not.toEqual([]);
    expect(packages).toEqual(expect.arrayContaining(named));
  });
});
