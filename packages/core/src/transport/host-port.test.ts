import { describe, expect, it } from "vitest";
import {
  addressFamily,
  canonicalAddress,
  formatHostPort,
  isAddressLiteral,
  isLoopback,
  isWildcard,
  parseHostPort,
} from "./host-port.ts";

describe("host and port", () => {
  it.each([
    ["192.0.2.1", 5060, "192.0.2.1:5060"],
    ["2001:db8::1", 5060, "[2001:db8::1]:5060"],
    ["[2001:db8::1]", 5060, "[2001:db8::1]:5060"],
    ["2001:db8::1", undefined, "[2001:db8::1]"],
    ["sip.example.com", undefined, "sip.example.com"],
  ])("formats %s and %s as %s", (host, port, text) => {
    expect(formatHostPort(host, port)).toBe(text);
  });

  it.each([
    ["192.0.2.1:5060", "192.0.2.1", 5060],
    ["sip.example.com", "sip.example.com", undefined],
    ["sip.example.com.:1", "sip.example.com.", 1],
    ["[::1]:0", "::1", 0],
    ["[fe80::1%eth0]", "fe80::1%eth0", undefined],
    ["h:65535", "h", 65_535],
  ])("takes %s apart", (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
  });

  it.each([
    "",
    ":5060",
    "h:",
    "h:65536",
    "h:-1",
    "h:+1",
    "h:1e3",
    "h:0x10",
    "h:5060 ",
    "h:5060:1",
    "h:\u0661",
    "::1",
    "::1:5060",
    "[::1",
    "[::1]5060",
    "[::1]x:5060",
    "[127.0.0.1]",
    "[h]",
    "a b",
    "a_b",
    "-a",
    "a;b",
    "a\r\nb",
    "a".repeat(256),
  ])("refuses %j", (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });

  it.each([
    ["192.0.2.1", 4],
    ["2001:db8::1", 6],
    ["[2001:db8::1]", 6],
    ["example.com", 0],
    ["1.2.3", 0],
    ["1.2.3.256", 0],
    ["", 0],
  ])("knows the family of %j: %i", (host, family) => {
    expect(addressFamily(host)).toBe(family);
    expect(isAddressLiteral(host)).toBe(family !== 0);
  });

  it.each([
    ["[0:0:0::1]", "::1"],
    ["2001:DB8:0:0::A", "2001:db8::a"],
    ["192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["::ffff:0:1:2:3", "::ffff:0:1:2:3"],
    ["fe80::1%eth0", "fe80::1%eth0"],
  ])("spells %s as sockets do: %s", (literal, address) => {
    expect(canonicalAddress(literal)).toBe(address);
  });

  it("tells wildcard and loopback addresses from others", () => {
    const addresses = [
      "0.0.0.0",
      "::",
      "0:0::0",
      "127.0.0.1",
      "127.9.9.9",
      "::1",
      "10.0.0.1",
      "fe80::",
    ];
    expect(addresses.filter(isWildcard)).toEqual(["0.0.0.0", "::", "0:0::0"]);
    expect(addresses.filter(isLoopback)).toEqual(["127.0.0.1", "127.9.9.9", "::1"]);
  });
});
