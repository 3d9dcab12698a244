import { describe, expect, it } from "vitest";
import type { Peer } from "../arrival.ts";
import { Request } from "./request.ts";
import { stampVia } from "./stamp-via.ts";

const PEER: Peer = { protocol: "udp", address: "192.0.2.1", port: 9988 };

function parsed(via: string): Request {
  return Request.parse(
    `OPTIONS sip:b SIP/2.0\r\nVia: ${via}\r\nf: <sip:a@b>\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\n\r\n`,
  );
}

function stamped(via: string, peer: Partial<Peer> = {}): string {
  const request = parsed(via);
  stampVia(request, { ...PEER, ...peer });
  const line = request.toWire().split("\r\n")[1]?.slice("Via: ".length) ?? "";
  // What is remembered is what is written.
  const { branch, received, rport } = parsed(line).topmostVia ?? {};
  expect(request.topmostVia).toMatchObject({ branch, received, rport });
  expect(request.branch).toBe(branch);
  expect(request.topmostVia?.params.get("branch")).toBe(branch);
  return line;
}

describe("stampVia, RFC 3261 §18.2.1, RFC 3581 §4", () => {
  it.each([
    ["leaves a true sent-by alone", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", ""],
    [
      "says where another sent-by came from",
      "SIP/2.0/UDP pc33.x.com;branch=z9hG4bK1",
      ";received=192.0.2.1",
    ],
    ["without parameters too", "SIP/2.0/UDP pc33.x.com", ";received=192.0.2.1"],
  ])("%s", (_, via, added) => {
    expect(stamped(via)).toBe(`${via}${added}`);
  });

  it("doesn't touch what needs nothing", () => {
    const request = parsed("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1");
    const before = request.toWire();
    stampVia(request, PEER);
    expect(request.toWire()).toBe(before);
  });

  it.each([
    [
      "SIP/2.0/UDP 192.0.2.1;branch=a;rport",
      "SIP/2.0/UDP 192.0.2.1;branch=a;rport=9988;received=192.0.2.1",
    ],
    ["SIP/2.0/UDP h;rport;branch=a", "SIP/2.0/UDP h;rport=9988;branch=a;received=192.0.2.1"],
    ["SIP/2.0/UDP h;RPORT;branch=a", "SIP/2.0/UDP h;rport=9988;branch=a;received=192.0.2.1"],
    ["SIP/2.0/UDP h;branch=a;rport=1", "SIP/2.0/UDP h;branch=a;rport=9988;received=192.0.2.1"],
    [
      "SIP/2.0/UDP h;received=6.6.6.6;branch=a;rport",
      "SIP/2.0/UDP h;branch=a;rport=9988;received=192.0.2.1",
    ],
    ["SIP/2.0/UDP h;received=6.6.6.6;branch=a", "SIP/2.0/UDP h;branch=a;received=192.0.2.1"],
    ["SIP/2.0/UDP 192.0.2.1;received=6.6.6.6;branch=a", "SIP/2.0/UDP 192.0.2.1;branch=a"],
    ['SIP/2.0/UDP h;x=";rport";rport', 'SIP/2.0/UDP h;x=";rport";rport=9988;received=192.0.2.1'],
    [
      "SIP/2.0/UDP h ; branch = a ; rport",
      "SIP/2.0/UDP h ; branch = a ;rport=9988;received=192.0.2.1",
    ],
  ])("makes of %s %s", (via, expected) => {
    expect(stamped(via)).toBe(expected);
  });

  it("stamps the first value of a list, and the rest of it stays", () => {
    expect(stamped("SIP/2.0/UDP h;rport, SIP/2.0/UDP i;rport")).toBe(
      "SIP/2.0/UDP h;rport=9988;received=192.0.2.1, SIP/2.0/UDP i;rport",
    );
    expect(stamped("SIP/2.0/UDP h ,SIP/2.0/UDP i")).toBe(
      "SIP/2.0/UDP h;received=192.0.2.1 ,SIP/2.0/UDP i",
    );
  });

  it("compares IPv6 addresses without brackets", () => {
    const address = "2001:db8::1";
    expect(stamped("SIP/2.0/UDP [2001:DB8::1]:5060;branch=a", { address })).toBe(
      "SIP/2.0/UDP [2001:DB8::1]:5060;branch=a",
    );
    expect(stamped("SIP/2.0/UDP [2001:db8::2];rport", { address })).toBe(
      "SIP/2.0/UDP [2001:db8::2];rport=9988;received=2001:db8::1",
    );
  });

  it("keeps bytes that it doesn't understand", () => {
    const text =
      'OPTIONS sip:b SIP/2.0\r\nv: SIP/2.0/UDP h;x="\xff\0";rport\r\nf: <sip:a@b>\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\n\r\n';
    const request = Request.parse(Buffer.from(text, "latin1"));
    stampVia(request, PEER);
    expect(request.toWire()).toContain(
      '\r\nv: SIP/2.0/UDP h;x="\xff\0";rport=9988;received=192.0.2.1\r\n',
    );
  });

  it("is what answers take over", () => {
    const request = parsed("SIP/2.0/UDP h;branch=a;rport");
    stampVia(request, PEER);
    expect(request.createResponse(200).headers.get("via")).toBe(
      "SIP/2.0/UDP h;branch=a;rport=9988;received=192.0.2.1",
    );
  });
});
