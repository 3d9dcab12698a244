import { describe, expect, it } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { TransportLeg } from "./leg.ts";
import type { LegAddress, LegOptions } from "./leg-address.ts";
import type { Transport, TransportSink } from "./transport.ts";

const context = { clock: new VirtualClock(), ids: () => 1 };
const sink: TransportSink = { message() {}, malformed() {}, failed() {}, closed() {} };

function transport(
  address: string,
  protocol: Transport["protocol"] = "udp",
): Transport & { closed: boolean } {
  return {
    protocol,
    closed: false,
    listen: async () => ({ address, port: 5060 }),
    send() {},
    async close() {
      this.closed = true;
    },
  };
}

describe("legs", () => {
  it("go by the bound address and port", async () => {
    for (const listen of ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"] as const) {
      const leg = new TransportLeg(listen, context);
      expect(leg).toMatchObject({ address: "127.0.0.1", port: 0 });
      await leg.listen(sink);
      expect(leg.port).toBeGreaterThan(0);
      expect(leg.sentBy).toBe(`127.0.0.1:${leg.port}`);
      expect(leg.reliable).toBe(listen.startsWith("tcp"));
      expect(leg.protocol).toBe(leg.reliable ? "tcp" : "udp");
      await leg.close();
    }
  });

  it.each([
    ["sip.example.com", "sip.example.com:5060"],
    ["sip.example.com:5070", "sip.example.com:5070"],
    ["[2001:db8::1]", "[2001:db8::1]:5060"],
    ["192.0.2.1", "192.0.2.1:5060"],
  ])("that advertise %s go by %s", async (advertise, sentBy) => {
    const leg = new TransportLeg({ listen: transport("0.0.0.0"), advertise }, context);
    await leg.listen(sink);
    expect(leg.sentBy).toBe(sentBy);
  });

  it("put an IPv6 address into brackets", async () => {
    const leg = new TransportLeg({ listen: transport("2001:db8::1") }, context);
    await leg.listen(sink);
    expect(leg).toMatchObject({ address: "2001:db8::1", sentBy: "[2001:db8::1]:5060" });
  });

  it.each<[LegAddress | LegOptions, string]>([
    ["udp:0.0.0.0:5060", "SIP_BAD_LEG"],
    ["tcp:[0::0]:5060", "SIP_BAD_LEG"],
    ["udp:localhost:5060", "SIP_BAD_LEG"],
    [{ listen: "udp:127.0.0.1", advertise: "a b" }, "SIP_BAD_LEG"],
    [{ listen: "udp:127.0.0.1", advertise: "h\r\nVia: x" }, "SIP_BAD_LEG"],
    [{ listen: "udp:127.0.0.1", advertise: "" }, "SIP_BAD_LEG"],
    ["tls:127.0.0.1:5061", "SIP_BAD_OPTION"],
    ["wss:127.0.0.1:443", "SIP_BAD_OPTION"],
    [{ listen: "ws:127.0.0.1", websocket: { path: "sip" } }, "SIP_BAD_OPTION"],
    [{ listen: "ws:127.0.0.1", websocket: { path: "/a#b" } }, "SIP_BAD_OPTION"],
    [{ listen: "tcp:127.0.0.1", limits: { maxConnections: 0 } }, "SIP_BAD_OPTION"],
    [{ listen: "tcp:127.0.0.1", limits: { idleTimeout: Number.NaN } }, "SIP_BAD_OPTION"],
  ])("can't be made of %j", (options, code) => {
    expect(() => new TransportLeg(options, context)).toThrow(expect.objectContaining({ code }));
  });

  it("on every address need a name, also over a transport that tells its address late", async () => {
    const late = transport("::");
    const leg = new TransportLeg({ listen: late }, context);
    await expect(leg.listen(sink)).rejects.toMatchObject({ code: "SIP_BAD_LEG" });
    expect(late.closed).toBe(true);
  });

  it("do without what a transport leaves out", () => {
    const leg = new TransportLeg({ listen: transport("127.0.0.1", "wss") }, context);
    const peer = { protocol: "wss", address: "127.0.0.1", port: 1 } as const;
    expect(leg.reliable).toBe(true);
    expect(leg.connected(1)).toBeUndefined();
    expect(leg.reach(peer)).toBe(peer);
    expect(leg.stats()).toEqual({});
    expect(leg.counters()).toEqual({});
  });

  it("have bounds of their own before the server's", async () => {
    const leg = new TransportLeg(
      { listen: "tcp:127.0.0.1:0", limits: { maxConnections: 5 } },
      { ...context, limits: { maxConnections: -1 } },
    );
    expect(leg.stats()).toEqual({ connections: 0 });
  });
});
