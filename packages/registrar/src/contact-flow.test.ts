import { type FlowRef, parseSipUri } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { flowOfContact, type Sender } from "./contact-flow.ts";

function sender(protocol: FlowRef["protocol"], remote: string, sentBy: string): Sender {
  return { flow: { node: "a", epoch: "1", protocol, local: "192.0.2.1:5060", remote }, sentBy };
}

describe("flowOfContact, RFC 3261 §10.2.1, RFC 5626 §5.3", () => {
  it.each([
    ["the source address", "sip:a@198.51.100.7:5062", "198.51.100.7:61234", "10.0.0.5"],
    ["an IPv6 source address", "sip:a@[2001:DB8::7]", "[2001:db8::7]:61234", "other"],
    ["the host in Via", "sip:a@Phone.example.net", "198.51.100.7:61234", "phone.example.net"],
    ["no place", "sip:a@df7jal23ls0d.invalid", "198.51.100.7:61234", "x.invalid"],
    ["a private address behind NAT", "sip:a@192.168.1.5", "198.51.100.7:61234", "10.9.9.9"],
    ["a private address behind NAT in another", "sip:a@192.168.1.5", "10.0.0.7:61234", "10.9.9.9"],
    ["a private IPv6 address", "sip:a@[fd00::5]", "[2001:db8::7]:61234", "x"],
  ])("is the sender's for a contact that names %s", (_case, uri, remote, sentBy) => {
    const from = sender("udp", remote, sentBy);
    expect(flowOfContact(parseSipUri(uri), from, true)).toBe(from.flow);
    expect(flowOfContact(parseSipUri(uri), from, false)).toBe(from.flow);
  });

  it.each([
    "sip:a@127.0.0.1:6379",
    "sip:a@[::1]:6379",
    "sip:a@[0:0:0:0:0:0:0:1]",
    "sip:a@[::ffff:127.0.0.1]",
    "sip:a@[::FFFF:7f00:1]",
    "sip:a@LOCALHOST",
    "sip:a@x.localhost.",
    "sip:a@0.0.0.0",
    "sip:a@[::]",
    "sip:a@169.254.169.254:80",
    "sip:a@224.0.0.1",
    "sip:a@255.255.255.255",
    "sip:a@[ff02::1]",
    "sip:a@203.0.113.9;maddr=127.0.0.1",
    "sip:a@203.0.113.9;maddr=239.255.255.250",
  ])("is the sender's where he names what is the server's own, or nobody's: %s", (uri) => {
    const from = sender("udp", "198.51.100.7:61234", "198.51.100.7");
    expect(flowOfContact(parseSipUri(uri), from, true)).toBe(from.flow);
  });

  it.each([
    ["a public address", "sip:a@203.0.113.9", "198.51.100.7:61234", "198.51.100.7"],
    [
      "another device in the same private network",
      "sip:a@192.168.1.5",
      "192.168.1.6:5060",
      "192.168.1.6",
    ],
    ["a name", "sip:+358555@gateway.example.net", "198.51.100.7:61234", "198.51.100.7"],
    ["what only looks private", "sip:a@172.32.0.1", "198.51.100.7:61234", "198.51.100.7"],
    ["the name invalid inside a name", "sip:a@x.invalid.example.net", "198.51.100.7:5060", "h"],
  ])("is none for a contact elsewhere: %s", (_case, uri, remote, sentBy) => {
    const from = sender("udp", remote, sentBy);
    expect(flowOfContact(parseSipUri(uri), from, true)).toBeUndefined();
  });

  it("is the connection's for the only contact that came over it, and not for one of several", () => {
    const from = sender("tcp", "198.51.100.7:61234", "198.51.100.7");
    const uri = parseSipUri("sip:a@203.0.113.9");
    expect(flowOfContact(uri, from, true)).toBe(from.flow);
    expect(flowOfContact(uri, from, false)).toBeUndefined();
  });

  it.each([
    ["sip:a@198.51.100.7;transport=tcp", "udp"],
    ["sip:a@198.51.100.7;transport=TLS", "udp"],
    ["sips:a@198.51.100.7", "udp"],
    ["sips:a@198.51.100.7;transport=tcp", "tcp"],
  ] as const)(
    "is none for %s at the source of a REGISTER over %s: it is dialled",
    (uri, protocol) => {
      const from = sender(protocol, "198.51.100.7:61234", "198.51.100.7");
      expect(flowOfContact(parseSipUri(uri), from, false)).toBeUndefined();
    },
  );

  it.each([
    ["sip:a@198.51.100.7;transport=udp", "udp"],
    ["sips:a@198.51.100.7", "tls"],
    ["sips:a@198.51.100.7;transport=tcp", "tls"],
    ["sip:a@198.51.100.7;transport=ws", "wss"],
  ] as const)("is the sender's for %s that came over %s", (uri, protocol) => {
    const from = sender(protocol, "198.51.100.7:61234", "198.51.100.7");
    expect(flowOfContact(parseSipUri(uri), from, false)).toBe(from.flow);
  });

  it("is the sender's behind a NAT, where nothing can be dialled, and never in the clear for what asks for TLS", () => {
    const from = sender("udp", "198.51.100.7:61234", "10.0.0.5");
    const flow = (uri: string) => flowOfContact(parseSipUri(uri), from, true);
    expect(flow("sip:a@10.0.0.5;transport=tcp")).toBe(from.flow);
    expect(flow("sip:a@10.0.0.6;transport=tcp")).toBe(from.flow);
    expect(flow("sips:a@10.0.0.5")).toBeUndefined();
    expect(flow("sip:a@10.0.0.6;transport=tls")).toBeUndefined();
  });

  it("is always or never the sender's where an option says so, but for a contact that names no place", () => {
    const from = sender("tcp", "198.51.100.7:61234", "198.51.100.7");
    const flow = (uri: string, rule: "source" | "contact") =>
      flowOfContact(parseSipUri(uri), from, true, rule);
    expect(flow("sip:a@203.0.113.9", "source")).toBe(from.flow);
    expect(flow("sip:a@198.51.100.7", "contact")).toBeUndefined();
    expect(flow("sip:a@x.invalid", "contact")).toBe(from.flow);
  });
});
