import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { allow } from "./allow.ts";

it("Allow is a list of methods, RFC 3261 §20.5", () => {
  const headers = HeaderLines.from([
    ["Allow", "INVITE, ACK"],
    ["ALLOW", " BYE "],
  ]);
  expect(headers.readAll(allow)).toEqual(["INVITE", "ACK", "BYE"]);
  expect(headers.read(allow)).toBe("INVITE");
  headers.write(allow, ["BYE"]);
  expect([...headers]).toEqual([["Allow", "BYE"]]);
});
