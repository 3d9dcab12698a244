import { describe, expect, it } from "vitest";
import type { Peer } from "../arrival.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { SetAside } from "./set-aside.ts";

const place = (port: number): Peer => ({ protocol: "tcp", address: "192.0.2.1", port });

describe("SetAside", () => {
  it("tells places apart by protocol, address and port", () => {
    const setAside = new SetAside(new VirtualClock());
    setAside.add(place(1));
    expect(setAside.has({ ...place(1), domain: "example.com" })).toBe(true);
    expect(setAside.has(place(2))).toBe(false);
    expect(setAside.has({ ...place(1), protocol: "udp" })).toBe(false);
    expect(setAside.has({ ...place(1), address: "192.0.2.2" })).toBe(false);
  });

  it("forgets the one that failed first when there are a thousand", () => {
    const setAside = new SetAside(new VirtualClock());
    for (let port = 1; port <= 1_000; port += 1) setAside.add(place(port));
    setAside.add(place(1));
    setAside.add(place(1_001));
    expect(setAside.size).toBe(1_000);
    expect([1, 2, 3, 1_001].filter((port) => setAside.has(place(port)))).toEqual([1, 3, 1_001]);
  });

  it("has none whose time is over", async () => {
    const clock = new VirtualClock();
    const setAside = new SetAside(clock);
    setAside.add(place(1), 300_000);
    setAside.add(place(2));
    await clock.advance(30_000);
    expect(setAside.has(place(2))).toBe(false);
    expect(setAside.size).toBe(1);
    setAside.add(place(1), 0);
    expect(setAside.size).toBe(0);
  });

  it("sets aside once what it was to watch, and nothing else", () => {
    const setAside = new SetAside(new VirtualClock());
    const [watched, other] = [place(1), place(2)];
    setAside.watch(watched);
    setAside.failed(other);
    setAside.failed(watched);
    expect(setAside.size).toBe(1);
    setAside.delete(watched);
    setAside.failed(watched);
    expect(setAside.size).toBe(0);
  });
});
