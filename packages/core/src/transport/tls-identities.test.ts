import { X509Certificate } from "node:crypto";
import type { PeerCertificate } from "node:tls";
import { describe, expect, it } from "vitest";
import { certificate } from "../../../../test/certificates/certificates.ts";
import { identityFault, sipIdentities } from "./tls-identities.ts";

/** What Node makes of a certificate with that subjectAltName and common name. */
function peer(subjectaltname: string | undefined, CN: string | string[] = "cn.example.com") {
  return { subject: { CN }, subjectaltname } as unknown as PeerCertificate;
}

function real(name: string): PeerCertificate {
  return new X509Certificate(certificate(name).cert).toLegacyObject() as PeerCertificate;
}

describe("SIP identities in a certificate, RFC 5922 §7.1", () => {
  it.each<[string, string | undefined, readonly string[]]>([
    ["sip URIs, in any case", "URI:SIP:Example.COM", ["example.com"]],
    ["their host alone", "URI:sip:example.com:5061;transport=tls?a=b", ["example.com"]],
    ["each of them once", "URI:sip:b.com, URI:sip:a.com, URI:sip:b.com", ["b.com", "a.com"]],
    ["sip URIs before DNS names", "DNS:a.com, URI:sip:b.com, DNS:c.com", ["b.com"]],
    [
      "DNS names where no URI is one",
      "URI:http://a.com, DNS:b.com., DNS:C.com",
      ["b.com", "c.com"],
    ],
    ["DNS names beside a URI with a user", "URI:sip:alice@a.com, DNS:b.com", ["b.com"]],
    ["no sips URI", "URI:sips:a.com", []],
    ["no user", "URI:sip:alice@a.com", []],
    ["no escaped user", "URI:sip:a.com;x=@b.com", []],
    ["no address", "IP Address:192.0.2.1", []],
    ["no common name beside any subjectAltName", "email:alice@a.com", []],
    ["the common name where there is none", undefined, ["cn.example.com"]],
    ["the common name where it is empty", "", ["cn.example.com"]],
    ["wildcards as they stand", "DNS:*.a.com", ["*.a.com"]],
    ["nothing out of a quoted value", 'DNS:"a.com, URI:sip:b.com", DNS:c.com', ["c.com"]],
    ["nothing out of quotes within quotes", 'DNS:"a\\", URI:sip:b.com", DNS:c.com', ["c.com"]],
    ["nothing behind a quote that doesn't end", 'DNS:"a.com, URI:sip:b.com', []],
    ["no name with a space, a NUL or a line end", "DNS:a b.com, DNS:a\0.com, DNS:a\n.com", []],
  ])("are %s", (_what, subjectaltname, identities) => {
    expect(sipIdentities(peer(subjectaltname))).toEqual(identities);
  });

  it("are each common name that is a host's", () => {
    expect(sipIdentities(peer(undefined, ["a.com", "Alice Doe", "b.com"]))).toEqual([
      "a.com",
      "b.com",
    ]);
    expect(sipIdentities({} as PeerCertificate)).toEqual([]);
  });

  it.each([
    ["example", ["example.com", "server.example.com"]],
    ["other", ["other.example.com"]],
    ["wildcard", ["*.example.net"]],
    ["common-name", ["common.example.com"]],
    ["client", ["client.example.com"]],
  ])("of a real one: %s", (name, identities) => {
    expect(sipIdentities(real(name))).toEqual(identities);
  });

  it("are found in a long list in no time", () => {
    const names = Array.from({ length: 100_000 }, (_, at) => `DNS:${at}.example.com`).join(", ");
    expect(sipIdentities(peer(names))).toHaveLength(100_000);
    expect(sipIdentities(peer(`DNS:"${"\\".repeat(100_000)}`))).toEqual([]);
  });
});

describe("whether a certificate proves what led to its server, RFC 5922 §7.2", () => {
  it.each<[string, string, string | undefined]>([
    ["example", "192.0.2.1", "example.com"],
    ["example", "192.0.2.1", "EXAMPLE.com"],
    ["example", "192.0.2.1", "example.com."],
    ["example", "127.0.0.1", undefined],
    ["example", "::1", undefined],
    ["example", "0:0:0:0:0:0:0:1", undefined],
    ["example", "192.0.2.1", "127.0.0.1"],
    ["example", "192.0.2.1", "[::1]"],
  ])("%s at %s proves %s", (name, host, domain) => {
    expect(identityFault(real(name), { host, ...(domain && { domain }) })).toBeUndefined();
  });

  it.each<[string, string, string | undefined]>([
    ["example", "127.0.0.1", "a.example.com"],
    ["example", "127.0.0.1", "ample.com"],
    ["example", "127.0.0.1", "com"],
    ["example", "127.0.0.1", ""],
    ["wildcard", "127.0.0.1", "a.example.net"],
    ["client", "127.0.0.1", "example.com"],
    ["example", "192.0.2.1", undefined],
    ["common-name", "127.0.0.1", undefined],
  ])("%s at %s doesn't prove %s", (name, host, domain) => {
    const to = domain === undefined ? { host } : { host, domain };
    expect(identityFault(real(name), to)).toContain("its certificate doesn't name");
  });
});
