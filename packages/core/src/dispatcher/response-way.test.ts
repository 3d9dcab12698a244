import { describe, expect, it } from "vitest";
import type { Peer } from "../arrival.ts";
import { via } from "../message/header/via.ts";
import { Request } from "../message/request.ts";
import { stampVia } from "../message/stamp-via.ts";
import { completeRequest } from "../testing/complete.ts";
import { responsePeer, viaPeer } from "./response-way.ts";

const udp: Peer = { protocol: "udp", address: "192.0.2.100", port: 40_000 };

/** Where the answer goes to a request with this Via, from this peer. */
function way(via: string, from: Peer): string {
  const request = Request.parse(completeRequest(`OPTIONS sip:example.com SIP/2.0\nVia: ${via}`));
  stampVia(request, from);
  const { protocol, address, port } = responsePeer(request, from);
  return `${protocol}:${address}:${port}`;
}

describe("the way of a response, RFC 3261 §18.2.2", () => {
  it.each([
    ["the port of its sent-by", "SIP/2.0/UDP 192.0.2.100:5070;branch=z9hG4bK1", "5070"],
    ["port 5060 where there is none", "SIP/2.0/UDP 192.0.2.100;branch=z9hG4bK1", "5060"],
    [
      "the source port where rport asks for it",
      "SIP/2.0/UDP a.test:5070;rport;branch=z9hG4bK1",
      "40000",
    ],
    ["the source port whatever rport says", "SIP/2.0/UDP a.test;rport=1;branch=z9hG4bK1", "40000"],
  ])("is the source address and %s", (_what, via, port) => {
    expect(way(via, udp)).toBe(`udp:192.0.2.100:${port}`);
  });

  it.each([
    ["maddr", "SIP/2.0/UDP 192.0.2.100;maddr=203.0.113.9;branch=z9hG4bK1"],
    [
      "a received that the client wrote",
      "SIP/2.0/UDP 192.0.2.100;received=203.0.113.9;branch=z9hG4bK1",
    ],
    ["another sent-by", "SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK1"],
  ])("is never another address, as one in %s", (_what, via) => {
    expect(way(via, udp)).toBe("udp:192.0.2.100:5060");
  });

  it("is the request's connection, and when that is gone its address and the port of its sent-by", () => {
    const via = "SIP/2.0/TCP 192.0.2.100:5070;branch=z9hG4bK1";
    const open = { ...udp, protocol: "tcp", connection: { id: 1, open: true } } as const;
    expect(way(via, open)).toBe("tcp:192.0.2.100:40000");
    expect(way(via, { ...open, connection: { id: 1, open: false } })).toBe("tcp:192.0.2.100:5070");
  });

  it.each(["ws", "wss"] as const)(
    "is the connection or none over %s, RFC 7118 §5.3",
    (protocol) => {
      const gone = { ...udp, protocol, connection: { id: 1, open: false } };
      const via = "SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK1";
      const request = Request.parse(completeRequest(`OPTIONS sip:a SIP/2.0\nVia: ${via}`));
      stampVia(request, gone);
      expect(responsePeer(request, gone)).toBe(gone);
    },
  );

  it("has the default port of its transport where the sent-by names none", () => {
    const gone = { ...udp, protocol: "tls", connection: { id: 1, open: false } } as const;
    expect(way("SIP/2.0/TLS 192.0.2.100;branch=z9hG4bK1", gone)).toBe("tls:192.0.2.100:5061");
  });
});

describe("the way of a response that only its Via tells, RFC 3261 §16.11", () => {
  it.each([
    ["SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1", "udp:192.0.2.9:5060"],
    ["SIP/2.0/TLS [2001:db8::1];branch=z9hG4bK1", "tls:2001:db8::1:5061"],
    ["SIP/2.0/TCP a.test:5070;received=192.0.2.9;branch=z9hG4bK1", "tcp:192.0.2.9:5070"],
    ["SIP/2.0/UDP a.test;received=192.0.2.9;rport=40000;branch=z9hG4bK1", "udp:192.0.2.9:40000"],
  ])("%s is %s", (text, expected) => {
    const peer = viaPeer(via.parse(text));
    expect(`${peer?.protocol}:${peer?.address}:${peer?.port}`).toBe(expected);
  });

  it.each(["SIP/2.0/UDP a.test;branch=z9hG4bK1", "SIP/2.0/SCTP 192.0.2.9;branch=z9hG4bK1"])(
    "isn't known of %s",
    (text) => {
      expect(viaPeer(via.parse(text))).toBeUndefined();
    },
  );
});
