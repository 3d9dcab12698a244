import type { AuthorizeOptions } from "@sipkit/auth";
import { describe, expect, it } from "vitest";
import { AuthSite } from "./auth-site.ts";

const crlf = (lines: readonly string[]): string => [...lines, "", ""].join("\r\n");

/** What scanners and small clients send, as short as they are met with. */
const REQUESTS: readonly (readonly [name: string, text: string])[] = [
  [
    "sipvicious, OPTIONS",
    crlf([
      "OPTIONS sip:100@192.0.2.1 SIP/2.0",
      "Via: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bK-2411;rport",
      "Content-Length: 0",
      'From: "sipvicious"<sip:100@1.1.1.1>;tag=6330613830313031313363340131',
      "Accept: application/sdp",
      "User-Agent: friendly-scanner",
      'To: "sipvicious"<sip:100@1.1.1.1>',
      "Contact: sip:100@203.0.113.5:5060",
      "CSeq: 1 OPTIONS",
      "Call-ID: 845752980453913316694142",
      "Max-Forwards: 70",
    ]),
  ],
  [
    "sipsak, OPTIONS",
    crlf([
      "OPTIONS sip:bob@example.com SIP/2.0",
      "Via: SIP/2.0/UDP 203.0.113.5:40123;branch=z9hG4bK.1f5f9a30;rport;alias",
      "From: sip:sipsak@203.0.113.5:40123;tag=5fd2d1e4",
      "To: sip:bob@example.com",
      "Call-ID: 1607651812@203.0.113.5",
      "CSeq: 1 OPTIONS",
      "Contact: sip:sipsak@203.0.113.5:40123",
      "Content-Length: 0",
      "Max-Forwards: 70",
      "User-Agent: sipsak 0.9.8.1",
      "Accept: text/plain",
    ]),
  ],
  [
    "SIPp, REGISTER",
    crlf([
      "REGISTER sip:example.com SIP/2.0",
      "Via: SIP/2.0/UDP 203.0.113.5:5061;branch=z9hG4bK-123-1-0",
      "From: <sip:user1@example.com>;tag=1",
      "To: <sip:user1@example.com>",
      "Call-ID: 1-123@203.0.113.5",
      "CSeq: 1 REGISTER",
      "Contact: <sip:user1@203.0.113.5:5061>",
      "Max-Forwards: 70",
      "Expires: 3600",
      "Content-Length: 0",
    ]),
  ],
  [
    "the shortest that is none the less a request",
    crlf([
      "REGISTER sip:example.com SIP/2.0",
      "v:SIP/2.0/UDP a;branch=z9hG4bK1",
      "f:<sip:a>;tag=1",
      "t:<sip:a>",
      "i:1",
      "CSeq:1 REGISTER",
    ]),
  ],
];

const OPTIONS: readonly (readonly [string, Partial<AuthorizeOptions>])[] = [
  ["one challenge", {}],
  ["two", { algorithms: ["SHA-256", "MD5"] }],
  ["three", { algorithms: ["SHA-512-256", "SHA-256", "MD5"], opaque: "opaque" }],
  [
    "six",
    {
      algorithms: ["SHA-512-256", "SHA-256", "MD5", "SHA-512-256-sess", "SHA-256-sess", "MD5-sess"],
      qop: ["auth", "auth-int"],
      userhash: true,
    },
  ],
];

describe("amplification: an answer to who proved nothing is at most twice as long as what he sent", () => {
  it.each(
    REQUESTS.flatMap(([what, text]) =>
      OPTIONS.map(([how, options]) => [what, how, text, options] as const),
    ),
  )("%s, %s", async (_what, _how, text, options) => {
    const site = await AuthSite.open(options);
    const { sent } = await site.server.ask(text, { from: { address: "203.0.113.5", port: 9 } });
    expect(sent.length).toBeLessThanOrEqual(1);
    for (const answer of sent) expect(answer.toWire().length).toBeLessThanOrEqual(2 * text.length);
    expect(sent.length).toBe(text.length < 200 ? 0 : 1);
  });

  it("a real client's first request gets an answer, with one challenge and with two", async () => {
    for (const [, text] of REQUESTS.slice(0, 3)) {
      for (const [, options] of OPTIONS.slice(0, 2)) {
        const site = await AuthSite.open(options);
        const { sent } = await site.server.ask(text);
        const count = ["www-authenticate", "proxy-authenticate"].flatMap(
          (name) => sent[0]?.headers.getAll(name) ?? [],
        ).length;
        expect(count).toBe(options.algorithms === undefined ? 1 : 2);
      }
    }
  });

  it("stale and wrong credentials, a foreign uri, and malformed ones are held to it too", async () => {
    const site = await AuthSite.open({ algorithms: ["SHA-256", "MD5"] });
    const nonce = await site.nonce();
    const lines = [
      site.proof(nonce, { password: "guess" }),
      site.proof("forged"),
      site.proof(nonce, { uri: "sip:elsewhere.test" }),
      "Authorization: Digest",
      'Authorization: Digest realm="example.com"',
    ];
    for (const line of lines) {
      const text = site.text("REGISTER", "sip:example.com", [line]);
      const response = await site.send(text);
      expect(response?.toWire().length).toBeLessThanOrEqual(2 * text.length);
    }
  });
});
