import { expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { accept } from "./accept.ts";

it("Accept is a list of media ranges, RFC 3261 §20.1", () => {
  const headers = HeaderLines.from([
    ["Accept", "application/sdp;level=1, application/x-private"],
    ["ACCEPT", " text/*;q=0.5 "],
  ]);
  expect(headers.readAll(accept)).toEqual([
    "application/sdp;level=1",
    "application/x-private",
    "text/*;q=0.5",
  ]);
  expect(headers.read(accept)).toBe("application/sdp;level=1");
  headers.write(accept, ["text/*;q=0.5"]);
  expect([...headers]).toEqual([["Accept", "text/*;q=0.5"]]);
});
