import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { require } from "./require.ts";

it("Require is a list of option tags, RFC 3261 §20.32", () => {
  const headers = HeaderLines.from([
    ["Require", "100rel, timer"],
    ["REQUIRE", " path "],
  ]);
  expect(headers.readAll(require)).toEqual(["100rel", "timer", "path"]);
  expect(headers.read(require)).toBe("100rel");
  headers.write(require, ["path"]);
  expect([...headers]).toEqual([["Require", "path"]]);
});
