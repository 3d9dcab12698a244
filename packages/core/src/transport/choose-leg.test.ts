import { describe, expect, it } from "vitest";
import type { Leg, Protocol } from "../arrival.ts";
import { chooseLeg } from "./choose-leg.ts";

function leg(protocol: Protocol, address: string): Leg {
  return { protocol, address, port: 5060, sentBy: `${address}:5060` };
}

describe("the leg to a next hop", () => {
  const legs = [
    leg("udp", "127.0.0.1"),
    leg("udp", "192.0.2.1"),
    leg("udp", "192.0.2.2"),
    leg("tcp", "0.0.0.0"),
    leg("tcp", "::1"),
  ];

  it.each([
    ["udp", "127.0.0.5", 0],
    ["udp", "198.51.100.1", 1],
    ["tcp", "198.51.100.1", 3],
    ["tcp", "127.0.0.1", 3],
    ["tcp", "::1", 4],
    ["tcp", "2001:db8::1", 4],
  ] as const)("over %s to %s is the one at place %i", (protocol, address, place) => {
    expect(chooseLeg(legs, { protocol, address })).toBe(legs[place]);
  });

  it.each([
    ["udp", "::1"],
    ["tls", "192.0.2.9"],
  ] as const)("over %s to %s there is none", (protocol, address) => {
    expect(chooseLeg(legs, { protocol, address })).toBeUndefined();
  });
});
