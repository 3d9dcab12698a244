import { describe, expect, it } from "vitest";
import { canonicalHost, DomainNames } from "./domain-names.ts";

describe("DomainNames", () => {
  const domains = new DomainNames(["*.Example.org", "Example.COM.", "[2001:DB8::1]", "192.0.2.1"]);

  it("tells them in lower case and without a final dot", () => {
    expect(domains.names).toEqual(["*.example.org", "example.com", "[2001:db8::1]", "192.0.2.1"]);
    expect(domains.first).toBe("example.com");
    expect(new DomainNames(["*.example.org"]).first).toBeUndefined();
  });

  it.each(["example.com", "EXAMPLE.com.", "a.example.org", "a.b.example.org", "[2001:db8::1]"])(
    "has %s",
    (host) => {
      expect(domains.has(canonicalHost(host))).toBe(true);
    },
  );

  it.each(["example.org", "evilexample.org", "a.example.com", "example.com.evil.test", "", "*"])(
    "has no %s",
    (host) => {
      expect(domains.has(canonicalHost(host))).toBe(false);
    },
  );

  it.each([
    "",
    "*",
    "*.",
    "a b",
    "sip:example.com",
    "alice@example.com",
    "example.com:5060",
    "a/b",
  ])("refuses %j", (name) => {
    expect(() => new DomainNames([name])).toThrow(
      expect.objectContaining({ code: "SIP_BAD_DOMAIN" }),
    );
  });
});
