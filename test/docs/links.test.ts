import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { links, pages, ROOT, read } from "./pages.ts";

it.each(pages())("%s links to files that exist", (page) => {
  const missing = links(read(page)).filter((to) => !existsSync(join(ROOT, dirname(page), to)));
  expect(missing).toEqual([]);
});
