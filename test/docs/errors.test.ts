import { expect, it } from "vitest";
import { code, pages, read, rows, sources } from "./pages.ts";

const CODE = /SIP_[A-Z0-9_]+/g;
const inSources = new Set(sources().flatMap((path) => read(path).match(CODE) ?? []));
const listed = rows(read("docs/errors.md"))
  .map(([cell]) => code(cell))
  .filter((name) => name?.startsWith("SIP_"));

it("docs/errors.md has a row for each code in the sources", () => {
  expect([...inSources].filter((name) => !listed.includes(name))).toEqual([]);
});

it("docs/errors.md has no code that is gone, and none twice", () => {
  expect(listed.filter((name) => name === undefined || !inSources.has(name))).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});

it.each(pages())("%s names no code that is gone", (page) => {
  const named = read(page).match(CODE) ?? [];
  // A third party's own code, in the guide.
  const ours = named.filter((name) => !name.startsWith("SIP_ACME_"));
  expect(ours.filter((name) => !inSources.has(name))).toEqual([]);
});
