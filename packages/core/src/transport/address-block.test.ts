import { describe, expect, it } from "vitest";
import { addressBlock } from "./address-block.ts";

describe("the addresses that one host has", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::5", "2001:db8:1:2"],
    ["2001:db8::5", "2001:db8:0:0"],
    ["2001:db8::4:5:6:7:8", "2001:db8:0:4"],
    ["::1", "0:0:0:0"],
    ["2001:db8::", "2001:db8:0:0"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
  ])("%s is in %s", (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });
});
