import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** The repository's root, with a slash at its end. */
export const ROOT: string = new URL("../..", import.meta.url).pathname;

/** A file of the repository, by its path from the root. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Every page that people read, by its path from the root. */
export function pages(): readonly string[] {
  const names = (folder: string): string[] =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name));
  const packages = readdirSync(join(ROOT, "packages")).map((name) => join("packages", name));
  return [".", "docs", ...packages].flatMap(names);
}

/** Every source of the packages that isn't a test's, by its path from the root. */
export function sources(): readonly string[] {
  return readdirSync(join(ROOT, "packages")).flatMap((name) => {
    const folder = join(ROOT, "packages", name, "src");
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !/\.test\.ts$|^test-kit\//.test(path))
      .map((path) => relative(ROOT, join(folder, path)));
  });
}

/** The blocks of code of a page in one language. */
export function blocks(page: string, language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms");
  return [...read(page).matchAll(fence)].map(([, code = ""]) => code);
}

/** The part of a page below a heading, up to the next one of its level or above. */
export function section(page: string, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 1;
  const text = read(page);
  const start = text.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`${page} has no heading "${heading}"`);
  const rest = text.slice(start + heading.length + 2);
  const end = rest.search(new RegExp(`^#{1,${level}} `, "m"));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The rows of every table in a text, without heads and rules, each as its cells. */
export function rows(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  return lines
    .filter((line, at) => line.startsWith("|") && !isRule(line) && !isRule(lines[at + 1]))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function isRule(line: string | undefined): boolean {
  return line !== undefined && /^\|[-| :]+\|$/.test(line);
}

/** The first text in backticks of a cell. */
export function code(cell: string | undefined): string | undefined {
  return /`([^`]+)`/.exec(cell ?? "")?.[1];
}

/** What a text links to within the repository, as written and without fragments. */
export function links(text: string): readonly string[] {
  return [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)]
    .map(([, target = ""]) => target.replace(/#.*$/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/i.test(target));
}
