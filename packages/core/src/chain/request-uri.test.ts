import { describe, expect, it } from "vitest";
import { asRequestUri } from "./request-uri.ts";

describe("asRequestUri, RFC 3261 §19.1.1", () => {
  it.each([
    ["sip:bob@192.0.2.7", "sip:bob@192.0.2.7"],
    ["sip:bob@192.0.2.7;transport=tcp;lr", "sip:bob@192.0.2.7;transport=tcp;lr"],
    ["sip:bob@192.0.2.7?subject=x", "sip:bob@192.0.2.7"],
    ["sip:bob@192.0.2.7;METHOD=INVITE;transport=tcp", "sip:bob@192.0.2.7;transport=tcp"],
    ["sips:bob@192.0.2.7:5071;method=INVITE?a=b", "sips:bob@192.0.2.7:5071"],
    ["tel:+15551234", "tel:+15551234"],
  ])("makes of %s %s", (uri, requestUri) => {
    expect(asRequestUri(uri)).toBe(requestUri);
  });

  it("throws where headers are on what is no SIP URI", () => {
    expect(() => asRequestUri("mailto:bob@example.com?subject=x")).toThrow("URI");
  });
});
