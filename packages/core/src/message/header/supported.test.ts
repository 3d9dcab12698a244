import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { supported } from "./supported.ts";

it("Supported is a list of option tags, RFC 3261 §20.37", () => {
  const headers = HeaderLines.from([
    ["Supported", "outbound, path"],
    ["SUPPORTED", " gruu "],
  ]);
  expect(headers.readAll(supported)).toEqual(["outbound", "path", "gruu"]);
  expect(headers.read(supported)).toBe("outbound");
  headers.write(supported, ["gruu"]);
  expect([...headers]).toEqual([["Supported", "gruu"]]);
});
