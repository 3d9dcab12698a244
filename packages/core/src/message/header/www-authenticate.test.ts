import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { wwwAuthenticate } from "./www-authenticate.ts";

it("WWW-Authenticate has a line for each, never split at its commas, RFC 3261 §20.44", () => {
  const lines = ['Digest realm="a", nonce="1"', 'Digest realm="b", nonce="2"'];
  const headers = HeaderLines.from({ "WWW-Authenticate": lines });
  expect(headers.getAll("www-authenticate")).toEqual(lines);
  expect(headers.readAll(wwwAuthenticate).map(({ params }) => params.get("realm"))).toEqual([
    "a",
    "b",
  ]);
  expect(wwwAuthenticate.format(wwwAuthenticate.parse(lines[0] ?? ""))).toBe(lines[0]);
});
