import { describe, expect, it } from "vitest";
import type { Leg } from "../arrival.ts";
import { newRequest } from "../test-kit/new-request.ts";
import { type HopPolicy, type HopRules, publicAddresses, routableAddresses } from "./hop-policy.ts";

const request = newRequest("INVITE", "sip:bob@example.net");

function legAt(address: string): Leg {
  return { protocol: "udp", address, port: 5060, sentBy: `${address}:5060` };
}

/** Those of some addresses that may be reached by a leg. */
function reached(policy: HopPolicy, addresses: readonly string[], from = "192.0.2.1") {
  return addresses.filter((address) =>
    policy({ protocol: "udp", address, port: 5060 }, request, legAt(from)),
  );
}

const PUBLIC = ["192.0.2.9", "8.8.8.8", "223.255.255.255", "2001:db8::9", "::ffff:192.0.2.9"];
const PRIVATE = [
  ...["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "198.18.0.1"],
  ...["192.0.0.8", "fd00:ec2::254", "fec0::1", "::ffff:10.0.0.1", "::ffff:a00:1"],
];
const LOOPBACK = ["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"];
const LINK_LOCAL = ["169.254.169.254", "fe80::1", "fe80::1%eth0", "febf::1", "[fe80::1]"];
const NOBODY = [
  ...["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"],
  ...["::", "::127.0.0.1", "ff02::1", "::ffff:0.0.0.0", "::ffff:224.0.0.1"],
];
const ALL = [...PUBLIC, ...PRIVATE, ...LOOPBACK, ...LINK_LOCAL, ...NOBODY];

describe("routableAddresses", () => {
  it.each([
    ["a public address", "192.0.2.1", []],
    ["every address of the machine", "0.0.0.0", []],
    ["every address of the machine, IPv6", "::", []],
    ["a private address", "10.0.0.1", []],
    ["the loopback interface", "127.0.0.1", LOOPBACK],
    ["the loopback interface, IPv6", "::1", LOOPBACK],
    ["a link-local address", "fe80::2", LINK_LOCAL],
  ] as const)("by a leg on %s: what is routed, and the leg's own network", (_, from, own) => {
    expect(reached(routableAddresses(), ALL, from)).toEqual([...PUBLIC, ...PRIVATE, ...own]);
  });

  it("lets what is allowed by name, and refuses what is denied, whatever else holds", () => {
    const rules: HopRules = {
      allow: ["127.0.0.1", "169.254.0.0/16", "::1"],
      deny: ["169.254.169.254", "10.0.0.0/8", "2001:db8::/32"],
    };
    const asked = ["127.0.0.1", "127.0.0.2", "::1", "169.254.1.1", "169.254.169.254"];
    expect(reached(routableAddresses(rules), [...asked, "10.1.1.1", "2001:db8::1"])).toEqual([
      ...["127.0.0.1", "::1", "169.254.1.1"],
    ]);
  });

  it.each([{ allow: ["localhost"] }, { deny: ["10.0.0.0/33"] }])("refuses %j", (rules) => {
    expect(() => routableAddresses(rules)).toThrow(/must hold IP addresses/);
  });
});

describe("publicAddresses", () => {
  it.each([
    ["192.0.2.1", []],
    // As behind the address translation of a cloud.
    ["10.0.0.1", []],
    ["127.0.0.1", LOOPBACK],
  ] as const)("by a leg on %s: no private network", (from, own) => {
    expect(reached(publicAddresses(), ALL, from)).toEqual([...PUBLIC, ...own]);
  });

  it("reaches a trunk that is allowed", () => {
    const policy = publicAddresses({ allow: ["10.2.0.0/16"] });
    expect(reached(policy, ["10.2.3.4", "10.3.3.4"])).toEqual(["10.2.3.4"]);
  });
});
