import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { proxyRequire } from "./proxy-require.ts";

it("Proxy-Require is a list of option tags, RFC 3261 §20.29", () => {
  const headers = HeaderLines.from([
    ["Proxy-Require", "foo, bar"],
    ["PROXY-REQUIRE", " baz "],
  ]);
  expect(headers.readAll(proxyRequire)).toEqual(["foo", "bar", "baz"]);
  expect(headers.read(proxyRequire)).toBe("foo");
  headers.write(proxyRequire, ["baz"]);
  expect([...headers]).toEqual([["Proxy-Require", "baz"]]);
});
