import { authorize, DigestClient } from "@sipkit/auth";
import { Request, Response } from "@sipkit/core";
import { describe, expect, it } from "vitest";

const credentials = { "example.com": ["alice", "secret"] } as const;

const request = (method = "INVITE"): Request =>
  new Request(method, "sip:bob@example.com", {
    headers: {
      From: "<sip:alice@example.com>;tag=1",
      To: "<sip:bob@example.com>",
      "Call-ID": "c",
      CSeq: `1 ${method}`,
    },
  });

const challenge = (realm: string, nonce = "n", more = ""): Response =>
  new Response(407, {
    headers: {
      "Proxy-Authenticate": `Digest realm="${realm}", nonce="${nonce}", qop="auth"${more}`,
    },
  });

describe("CVE-2021-41158, ES2021-05: a digest for whoever asks", () => {
  it.each(["elsewhere.test", "EXAMPLE.COM", "example.com.", "", "__proto__", "constructor"])(
    "is not made for the realm %j, which it wasn't given",
    (realm) => {
      const bye = request("BYE");
      const before = bye.toWire();
      expect(authorize(bye, challenge(realm), credentials)).toBe(false);
      const client = new DigestClient({ credentials });
      expect(client.answer(bye, challenge(realm))).toBe(false);
      expect(client.prepare(bye)).toBe(false);
      expect(bye.toWire()).toBe(before);
    },
  );

  it("is made for its own realm alone, where others ask beside", () => {
    const invite = request();
    const both = challenge("example.com");
    both.headers.append("Proxy-Authenticate", 'Digest realm="elsewhere.test", nonce="n"');
    expect(authorize(invite, both, credentials)).toBe(true);
    expect(invite.headers.getAll("Proxy-Authorization")).toHaveLength(1);
  });
});

describe("CVE-2020-28242, AST-2020-002: challenges without an end", () => {
  it.each([
    ["each with another nonce", ""],
    ["each nonce of which is stale", ", stale=true"],
    ["each stale in capitals", ", stale=TRUE"],
  ])("%s get two tries at most", (_name, more) => {
    const invite = request();
    let tries = 0;
    while (
      tries < 10 &&
      authorize(invite, challenge("example.com", `${tries}`, more), credentials)
    ) {
      tries += 1;
    }
    expect(tries).toBeLessThanOrEqual(2);
    expect(tries).toBe(more === "" ? 1 : 2);
  });

  it("get them from a client that remembers nonces, too", () => {
    const client = new DigestClient({ credentials });
    expect(client.answer(request(), challenge("example.com", "first"))).toBe(true);
    const invite = request();
    expect(client.prepare(invite)).toBe(true);
    let tries = 0;
    while (
      tries < 10 &&
      client.answer(invite, challenge("example.com", `${tries}`, ", stale=true"))
    ) {
      tries += 1;
    }
    expect(tries).toBe(2);
  });
});

describe("what a challenge holds", () => {
  it.each(['"', "\\", "\r\nX: y", "\0", "ä", "x".repeat(5000)])(
    "stays within the value that it is written back in: %j",
    (text) => {
      const invite = request();
      const response = new Response(407);
      const value = `Digest realm="example.com", nonce="${text.replace(/["\\]/g, "\\$&")}", opaque="o", qop="auth"`;
      if (/[\r\0]/.test(text)) {
        expect(() => response.headers.set("Proxy-Authenticate", value)).toThrow();
        return;
      }
      response.headers.set("Proxy-Authenticate", value);
      expect(authorize(invite, response, credentials)).toBe(true);
      const [line = ""] = invite.headers.getAll("Proxy-Authorization");
      expect(line).not.toMatch(/[\r\n]/);
      expect(invite.headers.getAll("Proxy-Authorization")).toHaveLength(1);
    },
  );
});
