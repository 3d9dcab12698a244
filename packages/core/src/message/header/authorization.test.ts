import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { authorization } from "./authorization.ts";

it("Authorization has a line for each, never split at its commas, RFC 3261 §20.7", () => {
  const lines = ['Digest realm="a", nonce="1"', 'Digest realm="b", nonce="2"'];
  const headers = HeaderLines.from({ Authorization: lines });
  expect(headers.getAll("authorization")).toEqual(lines);
  expect(headers.readAll(authorization).map(({ params }) => params.get("realm"))).toEqual([
    "a",
    "b",
  ]);
  expect(authorization.format(authorization.parse(lines[0] ?? ""))).toBe(lines[0]);
});
