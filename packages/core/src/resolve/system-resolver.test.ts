import { describe, expect, it } from "vitest";
import { ParseError, TransportError } from "../errors.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { NextHop } from "./resolver.ts";
import { systemResolver } from "./system-resolver.ts";

/** A directory of names that notes what it was asked. */
function directory(names: Readonly<Record<string, readonly string[]>>): {
  readonly asked: string[];
  readonly addresses: (host: string) => Promise<readonly string[]>;
} {
  const known = new Map(Object.entries(names));
  const asked: string[] = [];
  return {
    asked,
    async addresses(host) {
      asked.push(host);
      const found = known.get(host);
      if (found === undefined) throw Object.assign(new Error(host), { code: "ENOTFOUND" });
      return found;
    },
  };
}

describe("next hops, RFC 3263 §4", () => {
  const resolver = systemResolver({ clock: new VirtualClock() });

  it.each<[uri: string, NextHop]>([
    ["sip:192.0.2.1", { protocol: "udp", address: "192.0.2.1", port: 5060 }],
    ["sip:bob@192.0.2.1:5070", { protocol: "udp", address: "192.0.2.1", port: 5070 }],
    ["sip:[2001:DB8:0::1]:5070", { protocol: "udp", address: "2001:db8::1", port: 5070 }],
    ["sip:192.0.2.1;transport=TCP", { protocol: "tcp", address: "192.0.2.1", port: 5060 }],
    ["sip:192.0.2.1;transport=tls", { protocol: "tls", address: "192.0.2.1", port: 5061 }],
    ["sip:192.0.2.1;transport=ws", { protocol: "ws", address: "192.0.2.1", port: 80 }],
    ["sips:192.0.2.1", { protocol: "tls", address: "192.0.2.1", port: 5061 }],
    ["sips:192.0.2.1;transport=tcp", { protocol: "tls", address: "192.0.2.1", port: 5061 }],
    ["sips:192.0.2.1;transport=ws", { protocol: "wss", address: "192.0.2.1", port: 443 }],
    ["sip:example.com;maddr=192.0.2.9", { protocol: "udp", address: "192.0.2.9", port: 5060 }],
  ])("of %s are known without a promise", (uri, hop) => {
    expect(resolver.resolve(uri)).toEqual([hop]);
  });

  it.each([
    "sip:192.0.2.1;transport=sctp",
    "sip:192.0.2.1;transport=constructor",
    "sips:192.0.2.1;transport=udp",
    "sip:192.0.2.1;maddr=a%20b",
  ])("of %s there are none", (uri) => {
    expect(() => resolver.resolve(uri)).toThrow(TransportError);
  });

  it.each(["tel:+358-555-1234567", "http://192.0.2.1", ""])("of %j can't be asked for", (uri) => {
    expect(() => resolver.resolve(uri)).toThrow(ParseError);
  });

  it("of a name are its addresses in their order, with port and transport of the URI", async () => {
    const { addresses, asked } = directory({ "sip.example.com": ["2001:db8::1", "192.0.2.1"] });
    const named = systemResolver({ clock: new VirtualClock(), addresses });
    expect(await named.resolve("sip:bob@SIP.example.com:5070;transport=tcp")).toEqual([
      { protocol: "tcp", address: "2001:db8::1", port: 5070 },
      { protocol: "tcp", address: "192.0.2.1", port: 5070 },
    ]);
    expect(asked).toEqual(["sip.example.com"]);
  });

  it("of a name that this machine knows are found by itself", async () => {
    const hops = await resolver.resolve("sip:localhost");
    expect(["127.0.0.1", "::1"]).toContain(hops[0]?.address);
  });

  it("of a name that doesn't exist fail with a transport error", async () => {
    const { addresses } = directory({});
    const named = systemResolver({ clock: new VirtualClock(), addresses });
    await expect(named.resolve("sip:nobody.example.com")).rejects.toMatchObject({
      code: "SIP_NO_ADDRESS",
      status: 503,
      message: expect.stringContaining("nobody.example.com"),
    });
  });
});

describe("what is asked of the machine", () => {
  it("is asked once while an answer holds, and then without a promise", async () => {
    const clock = new VirtualClock();
    const { addresses, asked } = directory({ a: ["192.0.2.1"] });
    const resolver = systemResolver({ clock, addresses, keepFor: 30_000 });
    const both = await Promise.all([
      resolver.resolve("sip:a"),
      resolver.resolve("sip:x@A;transport=tcp"),
    ]);
    expect(both.map(([hop]) => hop?.protocol)).toEqual(["udp", "tcp"]);
    await clock.advance(29_999);
    expect(resolver.resolve("sip:a")).toEqual([
      { protocol: "udp", address: "192.0.2.1", port: 5060 },
    ]);
    expect(asked).toEqual(["a"]);
    await clock.advance(1);
    expect(resolver.resolve("sip:a")).toBeInstanceOf(Promise);
    expect(asked).toEqual(["a", "a"]);
  });

  it("is asked again soon for a name that doesn't exist", async () => {
    const clock = new VirtualClock();
    const { addresses, asked } = directory({});
    const resolver = systemResolver({ clock, addresses, keepFor: 30_000 });
    await expect(resolver.resolve("sip:a")).rejects.toThrow(TransportError);
    await clock.advance(4_999);
    expect(() => resolver.resolve("sip:a")).toThrow(TransportError);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    await expect(resolver.resolve("sip:a")).rejects.toThrow(TransportError);
    expect(asked).toHaveLength(2);
  });

  it("is asked again at once when nobody could be asked", async () => {
    const answers = [Promise.reject(Object.assign(new Error(), { code: "EAI_AGAIN" }))];
    const resolver = systemResolver({
      clock: new VirtualClock(),
      addresses: () => answers.shift() ?? Promise.resolve(["192.0.2.1"]),
    });
    await expect(resolver.resolve("sip:a")).rejects.toThrow("the look-up failed");
    expect(await resolver.resolve("sip:a")).toHaveLength(1);
  });

  it("is bounded in names kept, the oldest going first", async () => {
    const { addresses, asked } = directory({
      a: ["192.0.2.1"],
      b: ["192.0.2.2"],
      c: ["192.0.2.3"],
    });
    const resolver = systemResolver({ clock: new VirtualClock(), addresses, maxNames: 2 });
    for (const name of ["a", "b", "c", "b", "a"]) await resolver.resolve(`sip:${name}`);
    expect(asked).toEqual(["a", "b", "c", "a"]);
  });

  it("is bounded in names asked for at once", async () => {
    const { addresses } = directory({ a: ["192.0.2.1"], b: ["192.0.2.2"] });
    const resolver = systemResolver({ clock: new VirtualClock(), addresses, maxPending: 1 });
    const [a, b] = await Promise.allSettled([resolver.resolve("sip:a"), resolver.resolve("sip:b")]);
    expect([a?.status, b?.status]).toEqual(["fulfilled", "rejected"]);
    expect(await resolver.resolve("sip:b")).toHaveLength(1);
  });
});
