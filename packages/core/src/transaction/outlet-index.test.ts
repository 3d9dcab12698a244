import { describe, expect, it } from "vitest";
import type { Peer } from "../arrival.ts";
import { OutletIndex } from "./outlet-index.ts";

const udp: Peer = { protocol: "udp", address: "192.0.2.1", port: 5060 };
const stream = (id: number): Peer => ({
  protocol: "tcp",
  address: "192.0.2.1",
  port: 5060,
  connection: { id, open: true },
});

describe("OutletIndex", () => {
  it("tells peers apart by protocol, address and port, and connections by their number", () => {
    const index = new OutletIndex<{ name: string }>();
    const peers: readonly Peer[] = [
      udp,
      { ...udp, protocol: "tcp" },
      { ...udp, address: "192.0.2.2" },
      { ...udp, port: 5062 },
      stream(1),
      stream(2),
    ];
    const entries = peers.map((peer, at) => {
      const entry = { name: `${at}` };
      index.add(peer, entry);
      return entry;
    });
    expect(index.size).toBe(6);
    for (const [at, peer] of peers.entries()) expect(index.of({ ...peer })).toEqual([entries[at]]);
    expect(index.ofConnection(2)).toEqual([entries[5]]);
    expect(index.ofConnection(3)).toEqual([]);
  });

  it("keeps nothing for a peer whose entries are gone", () => {
    const index = new OutletIndex<{ name: string }>();
    const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];
    index.add(udp, a);
    index.delete(udp, b);
    expect(index.of(udp)).toEqual([a]);
    index.add(udp, b);
    index.add(udp, c);
    expect(index.of(udp)).toEqual([a, b, c]);
    index.delete(udp, b);
    index.delete(udp, b);
    expect(index.of(udp)).toEqual([a, c]);
    index.delete(udp, a);
    index.delete(udp, c);
    expect(index.of(udp)).toEqual([]);
    expect(index.size).toBe(0);
    index.delete(udp, a);
    index.add(stream(1), a);
    index.clear();
    expect(index.size).toBe(0);
  });
});
