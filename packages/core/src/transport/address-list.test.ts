import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressList } from "./address-list.ts";

const ipv4 = fc.ipV4();

describe("AddressList", () => {
  const list = new AddressList("allow", ["192.0.2.7", "198.51.100.0/24", "2001:db8::/32", "::1"]);
  it.each([
    ["192.0.2.7", true],
    ["192.0.2.8", false],
    ["198.51.100.255", true],
    ["198.51.101.0", false],
    ["::ffff:192.0.2.7", true],
    ["::ffff:c000:207", true],
    ["::ffff:192.0.2.8", false],
    ["2001:db8:1::9", true],
    ["[2001:db8:1::9]", true],
    ["2001:db9::", false],
    ["::1", true],
    ["::2", false],
  ])("has %s: %s", (address, has) => {
    expect(list.has(address)).toBe(has);
  });

  it("has no address when it is empty, and every IPv4 address in a block of all", () => {
    expect(new AddressList("allow", []).has("192.0.2.7")).toBe(false);
    const all = new AddressList("allow", ["0.0.0.0/0"]);
    expect([all.has("255.255.255.255"), all.has("0.0.0.0"), all.has("::1")]).toEqual([
      ...[true, true, false],
    ]);
  });

  it("says of IPv4 addresses what Node's own list says", () => {
    fc.assert(
      fc.property(ipv4, ipv4, fc.integer({ min: 1, max: 32 }), (base, address, prefix) => {
        const blocks = new BlockList();
        blocks.addSubnet(base, prefix);
        const own = new AddressList("allow", [`${base}/${prefix}`]);
        for (const each of [address, base]) expect(own.has(each)).toBe(blocks.check(each));
      }),
    );
  });

  it.each(["localhost", "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/24/8", "192.0.2.0/", ""])(
    "refuses %j",
    (entry) => {
      expect(() => new AddressList("allow", [entry])).toThrow(/^allow must hold IP addresses/);
    },
  );
});
