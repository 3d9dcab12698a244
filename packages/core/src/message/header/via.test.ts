import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { Params } from "../params.ts";
import { via } from "./via.ts";

describe("Via, RFC 3261 §20.42", () => {
  it.each([
    [
      "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport",
      {
        transport: "UDP",
        host: "192.0.2.1",
        port: 5060,
        sentBy: "192.0.2.1:5060",
        branch: "z9hG4bKa",
        rport: true,
      },
    ],
    [
      "SIP/2.0/tcp h",
      { transport: "TCP", host: "h", port: undefined, sentBy: "h", branch: undefined },
    ],
    [
      "SIP / 2.0 / UDP   first.example.com : 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1",
      {
        transport: "UDP",
        port: 4000,
        sentBy: "first.example.com:4000",
        branch: "z9hG4bKa7c6a8dlze.1",
      },
    ],
    [
      "sip/2.0/WSS h;rport=5061;received=192.0.2.7",
      { transport: "WSS", rport: 5061, received: "192.0.2.7" },
    ],
    ["SIP/2.0/TLS-SCTP h", { transport: "TLS-SCTP" }],
    [
      "SIP/2.0/UDP [2001:db8::1]:5060;received=2001:db8::2",
      { host: "[2001:db8::1]", port: 5060, received: "2001:db8::2" },
    ],
    ["SIP/2.0/UDP h;rport=x", { rport: true }],
    ["SIP/2.0/UDP h;rport=65536", { rport: true }],
    ['SIP/2.0/UDP h;branch="quoted"', { branch: "quoted" }],
    ["SIP/2.0/UDP h;BRANCH=x", { branch: "x" }],
    ["SIP/2.0/UDP h;branch=one;branch=two", { branch: "one" }],
    ["SIP/2.0/UDP my_host;branch", { host: "my_host", branch: undefined }],
  ])("reads %s", (text, expected) => {
    expect(via.parse(text)).toMatchObject(expected);
  });

  it.each([
    "",
    "SIP/2.0/UDP",
    "SIP/2.0/UDP ",
    "SIP/2.0/ h",
    "SIP/3.0/UDP h",
    "HTTP/2.0/UDP h",
    "SIP/2.0 UDP h",
    "SIP/2.0/UDP h:",
    "SIP/2.0/UDP h:x",
    "SIP/2.0/UDP h:65536",
    "SIP/2.0/UDP h:4294967301",
    "SIP/2.0/UDP h:+5",
    "SIP/2.0/UDP ;branch=x",
    "SIP/2.0/UDP h;;branch=x",
    "SIP/2.0/UDP h;branch=",
    "SIP/2.0/UDP h i",
    "SIP/2.0/UDP [::1",
    "SIP/2.0/UDP h, x",
    "SIP/2.0/UDP h/i",
  ])("refuses %j", (text) => {
    expect(() => via.parse(text)).toThrow(ParseError);
    expect(() => via.parse(text)).toThrow(expect.objectContaining({ status: 400, header: "Via" }));
  });

  it("is undone by format", () => {
    const value = fc.record({
      transport: fc.constantFrom("UDP", "TCP", "TLS", "WS", "SCTP"),
      host: fc.oneof(
        fc.stringMatching(/^[a-z0-9.-]{1,20}$/),
        fc.ipV4(),
        fc.ipV6().map((ip) => `[${ip}]`),
      ),
      port: fc.option(fc.integer({ min: 0, max: 65535 }), { nil: undefined }),
      branch: fc.stringMatching(/^z9hG4bK[A-Za-z0-9.~-]{1,20}$/),
      received: fc.option(fc.oneof(fc.ipV4(), fc.ipV6()), { nil: undefined }),
      rport: fc.option(fc.oneof(fc.constant(true as const), fc.integer({ min: 0, max: 65535 })), {
        nil: undefined,
      }),
    });
    fc.assert(
      fc.property(value, (given) => {
        let params = Params.empty.with("branch", given.branch);
        if (given.received !== undefined) params = params.with("received", given.received);
        if (given.rport !== undefined) {
          params = params.with("rport", given.rport === true ? undefined : String(given.rport));
        }
        const sentBy = given.port === undefined ? given.host : `${given.host}:${given.port}`;
        const parsed = via.parse(via.format({ ...given, sentBy, params }));
        expect({ ...parsed, params: parsed.params.toString() }).toEqual({
          ...given,
          sentBy,
          params: params.toString(),
        });
      }),
    );
  });
});
