import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { proxyAuthenticate } from "./proxy-authenticate.ts";

it("Proxy-Authenticate has a line for each, never split at its commas, RFC 3261 §20.27", () => {
  const lines = ['Digest realm="a", nonce="1"', 'Digest realm="b", nonce="2"'];
  const headers = HeaderLines.from({ "Proxy-Authenticate": lines });
  expect(headers.getAll("proxy-authenticate")).toEqual(lines);
  expect(headers.readAll(proxyAuthenticate).map(({ params }) => params.get("realm"))).toEqual([
    "a",
    "b",
  ]);
  expect(proxyAuthenticate.format(proxyAuthenticate.parse(lines[0] ?? ""))).toBe(lines[0]);
});
