import { join } from "node:path";
import { Dispatcher } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { code, links, read, rows, section, sources } from "./pages.ts";

const PAGE = "docs/limits.md";

/** The columns of a table of bounds. */
const COUNTED_AS = 4;
const TESTED_BY = 5;

/** Where a name is passed through or looked up: these counters are found otherwise. */
const PASSED_THROUGH = ["dispatcher/dispatcher.ts", "dispatcher/engine.ts", "register-failures.ts"];

/** The names that a source counts under. Throws where a name isn't written in the call. */
function countedIn(path: string): readonly string[] {
  const calls = [...read(path).matchAll(/[.#]count\(([^()]*)\)/g)];
  return calls.flatMap(([call, given = ""]) => {
    const names = [...given.matchAll(/(=== )?"([^"]+)"/g)].filter(([, compared]) => !compared);
    if (names.length === 0 && !PASSED_THROUGH.some((end) => path.endsWith(end))) {
      throw new Error(`${path}: write the counter's name into ${call}, so that it can be found`);
    }
    return names.map(([, , name = ""]) => name);
  });
}

/** The counters that REGISTERs are refused under, by status. */
function refusals(): readonly string[] {
  const text = read("packages/registrar/src/register-failures.ts");
  return [...text.matchAll(/\[\d{3}, "([^"]+)"\]/g)].map(([, name = ""]) => name);
}

async function idle(): Promise<{ counters: readonly string[]; gauges: readonly string[] }> {
  const dispatcher = new Dispatcher({ legs: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"] });
  const counters = Object.keys(dispatcher.counters());
  const gauges = Object.keys(dispatcher.stats());
  await dispatcher.close();
  return { counters, gauges };
}

const { counters: ofTransports, gauges } = await idle();
const counted = new Set([...sources().flatMap(countedIn), ...refusals(), ...ofTransports]);

/** The tests that a text links to: file, and title of the test. */
function testsIn(text: string): readonly (readonly [file: string, title: string])[] {
  return [...text.matchAll(/\]\(\.\.\/(\S+\.test\.ts) "([^"]*)"\)/g)].map(
    ([, file = "", title = ""]) => [file, title],
  );
}

/** The source of one test, with the table that it may run over. Throws where there is no test of that title. */
function testOf(file: string, title: string): string {
  const text = read(file);
  const at = ['"', "`"]
    .map((quote) => text.indexOf(`${quote}${title}${quote}, `))
    .find((n) => n >= 0);
  if (at === undefined) throw new Error(`${file} has no test "${title}"`);
  const starts = [...text.matchAll(/^ *(?:it|describe)(?:\.\w+)*(?:<.*>)?\(/gm)].map(
    ({ index }) => index,
  );
  const start = starts.findLast((index) => index <= at);
  return text.slice(
    start,
    starts.find((index) => index > at),
  );
}

function listed(heading: string): readonly (string | undefined)[] {
  return rows(section(PAGE, heading)).map(([cell]) => code(cell));
}

describe(PAGE, () => {
  it("lists every counter, and none that is gone", () => {
    expect(listed("## Counters").toSorted()).toEqual([...counted].toSorted());
  });

  it("lists every gauge, and none that is gone", () => {
    expect(listed("## Gauges").toSorted()).toEqual(gauges.toSorted());
  });

  it("names counters that exist where it says how something is counted", () => {
    const named = rows(section(PAGE, "## Bounds")).flatMap((cells) =>
      [...(cells[COUNTED_AS] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
    );
    expect(named.filter((name) => !counted.has(name))).toEqual([]);
  });

  const bounds = rows(section(PAGE, "## Bounds"));

  it("has bounds", () => {
    expect(bounds.length).toBeGreaterThan(30);
  });

  it.each(bounds.map((cells) => [cells[0], cells] as const))("%s", (_what, cells) => {
    const name = code(cells[1])?.split(".").at(-1) ?? "no name";
    const [file = "no file"] = links(cells[1] ?? "");
    const text = read(join("docs", file)).replaceAll(/(?<=\d)_(?=\d)/g, "");
    expect(text).toContain(name);
    const numbers = [...text.matchAll(/\d+(?:(?: \* )\d+)*/g)].map(([product]) =>
      product.split(" * ").reduce((all, factor) => all * Number(factor), 1),
    );
    const value = /^[\d,]+/.exec(cells[2] ?? "")?.[0].replaceAll(",", "");
    if (value !== undefined) expect(numbers).toContain(Number(value));
  });

  it.each(bounds.map((cells) => [`${cells[0]}: ${code(cells[1])}`, cells] as const))(
    "names a test that goes over it, and looks how it is counted: %s",
    (_what, cells) => {
      const tests = testsIn(cells[TESTED_BY] ?? "").map(([file, title]) => testOf(file, title));
      expect(tests).not.toEqual([]);
      const counters = [...(cells[COUNTED_AS] ?? "").matchAll(/`([^`]+)`/g)].map(
        ([, name = ""]) => name,
      );
      expect(counters.filter((name) => !tests.some((test) => test.includes(name)))).toEqual([]);
    },
  );

  it("names tests that exist where there is no bound", () => {
    const tests = testsIn(section(PAGE, "### What has no bound of its own"));
    expect(tests.map(([file, title]) => testOf(file, title))).toHaveLength(2);
  });
});
