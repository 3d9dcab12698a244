import { describe, expect, it } from "vitest";
import { OutgoingProxies } from "./outgoing-proxies.ts";

describe("OutgoingProxies", () => {
  const proxies = new OutgoingProxies({
    outgoingProxy: "sip:out.example.net;transport=tcp",
    domainToProxy: {
      "Example.com": "192.0.2.1",
      "*.example.com": "192.0.2.2:5070",
      "*.Voice.example.com": ["sip:a.example.net", "[2001:db8::1]:5070"],
      "192.0.2.9": "sip:near.example.net",
      "[2001:db8::9]": "sip:six.example.net",
    },
  });
  it.each([
    ["the domain itself", "sip:bob@EXAMPLE.com.;x=1", ["sip:192.0.2.1"]],
    ["a name below it", "sip:bob@a.b.example.com:5080", ["sip:192.0.2.2:5070"]],
    [
      "the longest name that it is below",
      "sip:x.voice.example.com",
      ["sip:a.example.net", "sip:[2001:db8::1]:5070"],
    ],
    ["no name below it, but one beside it", "sip:notexample.com", "other"],
    ["an address", "sip:bob@192.0.2.9", ["sip:near.example.net"]],
    ["an IPv6 address", "sip:bob@[2001:DB8::9]", ["sip:six.example.net"]],
    ["another address", "sip:bob@192.0.2.10", "other"],
    ["another domain", "sip:bob@example.org", "other"],
    ["no domain", "tel:+15551234", "other"],
    ["no URI", "nonsense", "other"],
  ])("finds those of %s", (_what, uri, found) => {
    const others = ["sip:out.example.net;transport=tcp"];
    expect(proxies.find(uri)).toEqual(found === "other" ? others : found);
  });

  it("prefers * to outgoingProxy", () => {
    const all = new OutgoingProxies({
      outgoingProxy: "192.0.2.1",
      domainToProxy: { "*": "192.0.2.2" },
    });
    expect(all.find("sip:bob@example.org")).toEqual(["sip:192.0.2.2"]);
  });

  it("finds none where none is set", () => {
    expect(new OutgoingProxies({}).find("sip:bob@example.org")).toBeUndefined();
    const one = new OutgoingProxies({ domainToProxy: { "example.com": "192.0.2.1" } });
    expect(one.find("sip:bob@example.org")).toBeUndefined();
  });

  it("keeps a sips: URI on TLS, RFC 3261 §26.2.2", () => {
    expect(proxies.find("sips:bob@example.com")).toEqual(["sips:192.0.2.1"]);
  });

  it.each([
    [{ outgoingProxy: "" }],
    [{ outgoingProxy: "tel:+1" }],
    [{ outgoingProxy: "sip:a b" }],
    [{ domainToProxy: { "example.com": "not a host" } }],
    [{ domainToProxy: { "example.com": [] } }],
    [{ domainToProxy: { "a b": "192.0.2.1" } }],
    [{ domainToProxy: { "sip:example.com": "192.0.2.1" } }],
    [{ domainToProxy: { "example.com:5060": "192.0.2.1" } }],
    [{ domainToProxy: { "*example.com": "192.0.2.1" } }],
    [{ domainToProxy: { "": "192.0.2.1" } }],
  ])("refuses %j", (options) => {
    expect(() => new OutgoingProxies(options)).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });
});
