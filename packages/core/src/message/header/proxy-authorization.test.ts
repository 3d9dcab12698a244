import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { proxyAuthorization } from "./proxy-authorization.ts";

it("Proxy-Authorization has a line for each, never split at its commas, RFC 3261 §20.28", () => {
  const lines = ['Digest realm="a", nonce="1"', 'Digest realm="b", nonce="2"'];
  const headers = HeaderLines.from({ "Proxy-Authorization": lines });
  expect(headers.getAll("proxy-authorization")).toEqual(lines);
  expect(headers.readAll(proxyAuthorization).map(({ params }) => params.get("realm"))).toEqual([
    "a",
    "b",
  ]);
  expect(proxyAuthorization.format(proxyAuthorization.parse(lines[0] ?? ""))).toBe(lines[0]);
});
