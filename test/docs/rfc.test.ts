import { join } from "node:path";
import { expect, it } from "vitest";
import { links, read, section, sources } from "./pages.ts";

it("docs/rfc.md lists each file that deviates, and none that doesn't", () => {
  const deviating = sources().filter((path) => read(path).includes("Deviation:"));
  const linked = links(section("docs/rfc.md", "## Deviations")).map((to) => join("docs", to));
  expect([...new Set(linked)].toSorted()).toEqual(deviating.toSorted());
});

it("docs/rfc.md names each RFC that a source refers to", () => {
  const page = read("docs/rfc.md");
  const cited = new Set(sources().flatMap((path) => read(path).match(/(?<=RFC )\d{4}/g) ?? []));
  expect([...cited].filter((number) => !page.includes(number))).toEqual([]);
});
