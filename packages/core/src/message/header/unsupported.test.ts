import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { unsupported } from "./unsupported.ts";

it("Unsupported is a list of option tags, RFC 3261 §20.40", () => {
  const headers = HeaderLines.from([
    ["Unsupported", "foo, bar"],
    ["UNSUPPORTED", " baz "],
  ]);
  expect(headers.readAll(unsupported)).toEqual(["foo", "bar", "baz"]);
  expect(headers.read(unsupported)).toBe("foo");
  headers.write(unsupported, ["baz"]);
  expect([...headers]).toEqual([["Unsupported", "baz"]]);
});
