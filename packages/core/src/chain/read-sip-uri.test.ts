import { expect, it } from "vitest";
import { readSipUri } from "./read-sip-uri.ts";

it("readSipUri gives SIP and SIPS URIs, and nothing for the rest", () => {
  expect(readSipUri("sip:bob@example.com;lr")).toMatchObject({ user: "bob", host: "example.com" });
  expect(readSipUri("SIPS:example.com:5061")).toMatchObject({ scheme: "sips", port: 5061 });
  for (const text of ["tel:+15551234", "mailto:bob@example.com", "sip:", "nonsense", ""]) {
    expect(readSipUri(text)).toBeUndefined();
  }
});
