import { describe, expect, it } from "vitest";
import { Domains } from "./domains.ts";

const leg = {
  protocol: "udp",
  address: "127.0.0.1",
  port: 5060,
  sentBy: "sip.example.net:5060",
} as const;

function domains(): Domains {
  const all = new Domains(
    ["Example.com", "*.example.org"],
    ["phones.test", "*.phones.example.net"],
  );
  all.legs = [leg, { ...leg, address: "::1", port: 5070, sentBy: "[::1]:5070" }];
  return all;
}

describe("the dispatcher's domains", () => {
  it.each([
    ["sip:alice@example.com", "sip:alice@example.com"],
    ["sips:alice@EXAMPLE.com:5061;transport=tls", "sip:alice@example.com"],
    ["sip:alice:password@example.com?subject=x", "sip:alice@example.com"],
    ["sip:%61lice@example.com.", "sip:alice@example.com"],
    ["sip:Alice@example.com", "sip:Alice@example.com"],
    ["sip:bob@branch.example.org", "sip:bob@branch.example.org"],
    ["sip:alice@phones.test", "sip:alice@example.com"],
    ["sip:alice@de.phones.example.net", "sip:alice@example.com"],
    ["sip:alice@127.0.0.1", "sip:alice@example.com"],
    ["sip:alice@127.0.0.1:5060", "sip:alice@example.com"],
    ["sip:alice@sip.example.net", "sip:alice@example.com"],
    ["sip:alice@[::1]:5070", "sip:alice@example.com"],
  ])("names %s %s, RFC 3261 §10.3", (uri, addressOfRecord) => {
    expect(domains().addressOfRecord(uri)).toBe(addressOfRecord);
    expect(domains().isLocal(uri)).toBe(true);
  });

  it.each([
    "sip:alice@example.org",
    "sip:alice@notexample.com",
    "sip:alice@example.com.evil.test",
    "sip:alice@evilexample.org",
    "sip:alice@127.0.0.1:5070",
    "sip:alice@[::1]",
    "tel:+15551234",
    "mailto:alice@example.com",
    "sip:",
    "nonsense",
    "",
  ])("has no part in %s", (uri) => {
    expect(domains().isLocal(uri)).toBe(false);
    expect(domains().addressOfRecord(uri)).toBeUndefined();
  });

  it("is itself without being anybody's address-of-record", () => {
    expect(domains().isLocal("sip:example.com")).toBe(true);
    expect(domains().addressOfRecord("sip:example.com")).toBeUndefined();
  });

  it("refuses what is no domain", () => {
    expect(() => new Domains(["sip:example.com"], [])).toThrow("not a domain");
    expect(() => new Domains([""], [])).toThrow("not a domain");
  });
});
