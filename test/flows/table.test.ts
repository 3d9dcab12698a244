import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { rows, section } from "../docs/pages.ts";

it("docs/rfc.md lists each call flow that is played", () => {
  const folder = new URL(".", import.meta.url);
  const played = readdirSync(folder).flatMap((file) => {
    const [, rfc] = /^rfc(\d+).*\.test\.ts$/.exec(file) ?? [];
    const text = readFileSync(new URL(file, folder), "utf8");
    const sections = text.match(/(?<=\bsection: "|RFC 3581 §)[\d.]*\d/g) ?? [];
    return rfc === undefined ? [] : sections.map((number) => `RFC ${rfc} §${number}, ${file}`);
  });
  const listed = rows(section("docs/rfc.md", "## Call flows")).map(
    ([flow, , , link]) => `${flow}, ${/flows\/([\w.-]+)\)/.exec(link ?? "")?.[1]}`,
  );
  expect(listed.toSorted()).toEqual([...new Set(played)].toSorted());
});
