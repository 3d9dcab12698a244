import { describe, expect, it } from "vitest";
import { parseUri } from "./uri.ts";
import { uriEquals } from "./uri-equals.ts";

const CAROL = "sip:carol@chicago.com";

describe("uriEquals, the examples of RFC 3261 §19.1.4", () => {
  it.each([
    ["sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"],
    [CAROL, "sip:carol@chicago.com;newparam=5"],
    [CAROL, "sip:carol@chicago.com;security=on"],
    ["sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"],
    [
      "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
      "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ],
    [
      "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
      "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ],
  ])("%s equals %s", (a, b) => {
    expect(uriEquals(a, b)).toBe(true);
    expect(uriEquals(b, a)).toBe(true);
  });

  it.each([
    ["SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"],
    [CAROL, "sip:carol@chicago.com?Subject=next%20meeting"],
    ["sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"],
    ["sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"],
  ])("%s differs from %s", (a, b) => {
    expect(uriEquals(a, b)).toBe(false);
    expect(uriEquals(b, a)).toBe(false);
  });
});

describe("uriEquals, the rules of RFC 3261 §19.1.4", () => {
  it.each([
    ["a scheme", "sip:a@b", "sips:a@b"],
    ["a user", "sip:a@b", "sip:b"],
    ["the user's case", "sip:a@b", "sip:A@b"],
    ["a password", "sip:a@b", "sip:a:x@b"],
    ["a password's case", "sip:a:x@b", "sip:a:X@b"],
    ["a port", "sip:a@b:5060", "sip:a@b:5061"],
    ["user in one", "sip:a@b", "sip:a@b;user=phone"],
    ["ttl in one", "sip:a@b", "sip:a@b;ttl=1"],
    ["method in one", "sip:a@b", "sip:a@b;method=INVITE"],
    ["maddr in one", "sip:a@b", "sip:a@b;maddr=239.255.255.1"],
    ["a parameter's value", "sip:a@b;x=1", "sip:a@b;x=2"],
    ["a value in one alone", "sip:a@b;lr", "sip:a@b;lr=on"],
    ["an escape of a reserved character", "sip:a%40c@b", "sip:a@c@b"],
    ["a header's value", "sip:a@b?x=1", "sip:a@b?x=2"],
    ["the number of headers", "sip:a@b?x=1", "sip:a@b?x=1&x=1"],
    ["what can't be read", "sip:", "sip:a@b"],
  ])("tells %s apart", (_, a, b) => {
    expect(uriEquals(a, b)).toBe(false);
  });

  it.each([
    ["parameters in another order", "sip:a@b;x=1;y=2", "sip:a@b;y=2;x=1"],
    ["parameters in another case", "sip:a@b;X=ab", "sip:a@b;x=AB"],
    ["a scheme in another case", "SIP:a@b", "sip:a@b"],
    ["an escape in another case", "sip:a%3bb@c", "sip:a%3Bb@c"],
    ["header names in another case", "sip:a@b?Subject=x", "sip:a@b?subject=x"],
    ["the very same text that is no URI", "nonsense", "nonsense"],
    ["an IPv6 address in another case", "sip:a@[2001:DB8::1]", "sip:a@[2001:db8::1]"],
    ["telephone numbers with other separators", "tel:+1-201-555", "tel:+1(201)555"],
    ["other schemes in another case", "URN:x:Y", "urn:x:Y"],
  ])("doesn't mind %s", (_, a, b) => {
    expect(uriEquals(a, b)).toBe(true);
  });

  it("compares parsed URIs too, and different kinds never", () => {
    expect(uriEquals(parseUri("sip:a@b"), "sip:a@B")).toBe(true);
    expect(uriEquals(parseUri("tel:1"), parseUri("sip:1"))).toBe(false);
    expect(uriEquals("urn:1", "tel:1")).toBe(false);
    expect(uriEquals("tel:1", "urn:1")).toBe(false);
    expect(uriEquals("urn:a", "urn:b")).toBe(false);
    expect(uriEquals("tel:1;ext=1", "tel:1;ext=2")).toBe(false);
  });
});
