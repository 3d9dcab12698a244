import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FlowRef, formatFlow, parseFlow } from "./flow.ts";

const udp: FlowRef = {
  node: "a",
  epoch: "e1",
  protocol: "udp",
  local: "127.0.0.1:5060",
  remote: "[2001:db8::1]:40123",
};

describe("flows as text", () => {
  it("is short", () => {
    expect(formatFlow(udp)).toBe("udp,a,e1,127.0.0.1:5060,[2001:db8::1]:40123");
    expect(formatFlow({ ...udp, protocol: "tcp", connection: 17 })).toBe(
      "tcp,a,e1,127.0.0.1:5060,[2001:db8::1]:40123,17",
    );
  });

  it("reads what it wrote, whatever node and epoch are called", () => {
    const flows = fc.record(
      {
        node: fc.string({ unit: "grapheme" }),
        epoch: fc.string({ unit: fc.constantFrom(...'ab,%;:/"\r\n ') }),
        protocol: fc.constantFrom("udp", "tcp", "tls", "ws", "wss"),
        local: fc.constantFrom("127.0.0.1:5060", "[::1]:0", "sip.example.com:5060"),
        remote: fc.constantFrom("192.0.2.1:65535", "[fe80::1%eth0]:1"),
        connection: fc.nat(),
      },
      { requiredKeys: ["node", "epoch", "protocol", "local", "remote"] },
    );
    fc.assert(
      fc.property(flows, (flow) => {
        const text = formatFlow(flow as FlowRef);
        expect(text).not.toMatch(/["\s;<>]/);
        expect(parseFlow(text)).toEqual(flow);
      }),
    );
  });

  it.each([
    "",
    "udp",
    "sctp,a,e,127.0.0.1:1,127.0.0.1:2",
    "__proto__,a,e,127.0.0.1:1,127.0.0.1:2",
    "udp,a,e,127.0.0.1,127.0.0.1:2",
    "udp,a,e,127.0.0.1:1,127.0.0.1:99999",
    "udp,a,e,127.0.0.1:1",
    "udp,%,e,127.0.0.1:1,127.0.0.1:2",
    "tcp,a,e,127.0.0.1:1,127.0.0.1:2,",
    "tcp,a,e,127.0.0.1:1,127.0.0.1:2,-1",
    "tcp,a,e,127.0.0.1:1,127.0.0.1:2,1e3",
    "tcp,a,e,127.0.0.1:1,127.0.0.1:2,9999999999999999",
    "tcp,a,e,127.0.0.1:1,127.0.0.1:2,1,2",
  ])("refuses %j", (text) => {
    expect(parseFlow(text)).toBeUndefined();
  });
});
