import { authorization, proxyAuthorization, Request, Response } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { authorize } from "./authorize-request.ts";
import { digestResponse, ha1Of, ha2Of, userhashOf } from "./digest.ts";

const request = (): Request =>
  new Request("REGISTER", "sip:example.com", {
    headers: {
      Via: "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK1",
      From: "<sip:alice@example.com>;tag=1",
      To: "<sip:alice@example.com>",
      "Call-ID": "c",
      CSeq: "7 REGISTER",
    },
  });

const www = (...challenges: string[]): Response =>
  new Response(401, { headers: { "WWW-Authenticate": challenges } });

const sent = (request: Request, field = authorization): ReadonlyMap<string, string>[] =>
  request.headers.readAll(field).map(({ params }) => params as ReadonlyMap<string, string>);

const random = { bytes: (size: number) => new Uint8Array(size), token: () => "cnonce" };

describe("answering a challenge, RFC 3261 §22.2", () => {
  it("adds credentials in place and raises CSeq", () => {
    const asked = request();
    const response = www('Digest realm="r", nonce="n", opaque="o", algorithm=MD5, qop="auth"');
    expect(authorize(asked, response, ["alice", "secret"], { random })).toBe(true);
    expect(asked.cseq).toEqual({ number: 8, method: "REGISTER" });
    const input = {
      algorithm: "MD5",
      nonce: "n",
      qop: "auth",
      nc: "00000001",
      cnonce: "cnonce",
    } as const;
    const digest = digestResponse(
      ha1Of("alice", "r", "secret"),
      ha2Of("REGISTER", "sip:example.com", "MD5"),
      input,
    );
    expect(asked.headers.get("Authorization")).toBe(
      `Digest username="alice", realm="r", nonce="n", uri="sip:example.com", response="${digest}", algorithm=MD5, opaque="o", qop=auth, nc=00000001, cnonce="cnonce"`,
    );
    expect(asked.to.tag).toBeUndefined();
  });

  it("answers proxies by Proxy-Authorization, and both at once", () => {
    const asked = request();
    const response = new Response(407, {
      headers: {
        "Proxy-Authenticate": 'Digest realm="p", nonce="1"',
        "WWW-Authenticate": 'Digest realm="s", nonce="2"',
      },
    });
    expect(authorize(asked, response, ["alice", "secret"])).toBe(true);
    expect(sent(asked).map((params) => params.get("realm"))).toEqual(["s"]);
    expect(sent(asked, proxyAuthorization).map((params) => params.get("realm"))).toEqual(["p"]);
    expect(asked.cseq.number).toBe(8);
  });

  it("answers a server that offers no qop as RFC 2069 did", () => {
    const asked = request();
    authorize(asked, www('Digest realm="r", nonce="n"'), ["alice", "secret"]);
    const [params] = sent(asked);
    expect([...(params?.keys() ?? [])]).toEqual(["username", "realm", "nonce", "uri", "response"]);
    const input = { algorithm: "MD5", nonce: "n" } as const;
    expect(params?.get("response")).toBe(
      digestResponse(
        ha1Of("alice", "r", "secret"),
        ha2Of("REGISTER", "sip:example.com", "MD5"),
        input,
      ),
    );
  });

  it("covers the body where that alone is offered, or is preferred", () => {
    for (const [qop, integrity, used] of [
      ["auth-int", false, "auth-int"],
      ["auth,auth-int", false, "auth"],
      ["auth, AUTH-INT", true, "auth-int"],
      ["auth", true, "auth"],
    ] as const) {
      const asked = request();
      asked.body = Buffer.from("v=0\r\n");
      const challenge = www(`Digest realm="r", nonce="n", qop="${qop}"`);
      authorize(asked, challenge, ["alice", "secret"], { random, integrity });
      const [params] = sent(asked);
      expect(params?.get("qop")).toBe(used);
      const body = used === "auth-int" ? asked.body : undefined;
      const input = {
        algorithm: "MD5",
        nonce: "n",
        qop: used,
        nc: "00000001",
        cnonce: "cnonce",
      } as const;
      const ha2 = ha2Of("REGISTER", "sip:example.com", "MD5", body);
      const ha1 = ha1Of("alice", "r", "secret");
      expect(params?.get("response")).toBe(digestResponse(ha1, ha2, input));
    }
  });

  it("sends the hash of its name where the challenge asks for it", () => {
    const asked = request();
    const challenge = www('Digest realm="r", nonce="n", algorithm=SHA-256, userhash=TRUE');
    authorize(asked, challenge, ["alice", "secret"]);
    expect(sent(asked)[0]?.get("username")).toBe(userhashOf("alice", "r", "SHA-256"));
    expect(asked.headers.get("Authorization")).toMatch(/, userhash=true$/);
    const plain = request();
    authorize(plain, www('Digest realm="r", nonce="n", userhash=false'), ["alice", "secret"]);
    expect(sent(plain)[0]?.get("username")).toBe("alice");
    expect(sent(plain)[0]?.has("userhash")).toBe(false);
  });

  it("keeps the cnonce of a session as long as its nonce", () => {
    const asked = request();
    const challenge = (nonce: string): Response =>
      www(`Digest realm="r", nonce="${nonce}", algorithm=MD5-sess, qop="auth", stale=true`);
    const used = (nonce: string): unknown[] => {
      authorize(asked, challenge(nonce), ["alice", "secret"]);
      // The next request.
      asked.headers.set("cseq", `${asked.cseq.number + 1} REGISTER`);
      return ["nonce", "nc", "cnonce"].map((name) => sent(asked)[0]?.get(name));
    };
    const [, , first] = used("1");
    expect(used("1")).toEqual(["1", "00000002", first]);
    const [, nc, second] = used("2");
    expect([nc, second === first]).toEqual(["00000001", false]);
  });

  it.each([
    [["MD5", "SHA-256"], "SHA-256"],
    [["MD5-sess", "SHA-256-sess", "MD5"], "SHA-256-sess"],
    [["SHA-256", "MD5", "SHA-512-256"], "SHA-512-256"],
    [["AKAv1-MD5", "MD5"], "MD5"],
    [["sha-256", "MD5-sess"], "sha-256"],
    [["SHA-256-sess", "SHA-256"], "SHA-256"],
  ])("of %j takes the strongest that it knows: %s", (offered, taken) => {
    const asked = request();
    const challenges = offered.map(
      (name) => `Digest realm="r", nonce="n", algorithm=${name}, qop="auth"`,
    );
    expect(authorize(asked, www(...challenges), ["alice", "secret"])).toBe(true);
    expect(sent(asked).map((params) => params.get("algorithm"))).toEqual([taken]);
  });

  it("takes the algorithm that it has an HA1 for", () => {
    const asked = request();
    const challenges = ["SHA-256", "MD5"].map(
      (name) => `Digest realm="r", nonce="n", algorithm=${name}`,
    );
    const ha1 = { MD5: ha1Of("alice", "r", "secret") };
    expect(authorize(asked, www(...challenges), ["alice", { ha1 }])).toBe(true);
    expect(sent(asked).map((params) => params.get("algorithm"))).toEqual(["MD5"]);
  });

  it.each([
    'Digest realm="r", nonce="n", algorithm=AKAv1-MD5',
    'Digest realm="r", nonce="n", qop="auth-conf"',
    'Digest realm="r", nonce="n", algorithm=MD5-sess',
    'Digest realm="r"',
    'Digest nonce="n"',
    'Basic realm="r"',
    'Digest realm="r", nonce="n',
    "Digest",
    ",",
  ])("passes over what it doesn't understand: %s", (challenge) => {
    const asked = request();
    const before = asked.toWire();
    expect(authorize(asked, www(challenge), ["alice", "secret"])).toBe(false);
    expect(asked.toWire()).toBe(before);
    const both = www(challenge, 'Digest realm="r", nonce="n", qop="auth-int,auth"');
    expect(authorize(asked, both, ["alice", "secret"])).toBe(true);
    expect(sent(asked)[0]?.get("qop")).toBe("auth");
  });

  it("answers nothing but 401 and 407", () => {
    for (const status of [100, 200, 403, 494]) {
      const response = new Response(status, {
        headers: { "WWW-Authenticate": 'Digest realm="r", nonce="n"' },
      });
      expect(authorize(request(), response, ["alice", "secret"])).toBe(false);
    }
    expect(authorize(request(), new Response(401), ["alice", "secret"])).toBe(false);
  });

  it("quotes what a user name holds", () => {
    const asked = request();
    authorize(asked, www('Digest realm="r", nonce="n"'), ['a"b\\c', "secret"]);
    expect(sent(asked)[0]?.get("username")).toBe('a"b\\c');
  });

  it("makes a new cnonce each time", () => {
    const cnonces = Array.from({ length: 10 }, () => {
      const asked = request();
      authorize(asked, www('Digest realm="r", nonce="n", qop="auth"'), ["alice", "secret"]);
      return sent(asked)[0]?.get("cnonce");
    });
    expect(new Set(cnonces).size).toBe(10);
  });
});

describe("credentials of a client", () => {
  const two = www('Digest realm="a", nonce="1"', 'Digest realm="b", nonce="2"');
  const users = (asked: Request): (string | undefined)[] =>
    sent(asked).map((params) => `${params.get("username")}@${params.get("realm")}`);

  it("are one pair for every realm", () => {
    const asked = request();
    expect(authorize(asked, two, ["alice", "secret"])).toBe(true);
    expect(users(asked)).toEqual(["alice@a", "alice@b"]);
  });

  it("are pairs by realm: others are told nothing", () => {
    const asked = request();
    expect(authorize(asked, two, { b: ["bob", "secret"], c: ["carol", "secret"] })).toBe(true);
    expect(users(asked)).toEqual(["bob@b"]);
    expect(authorize(request(), two, { c: ["carol", "secret"] })).toBe(false);
  });

  it.each(["constructor", "__proto__", "toString"])("are none for a realm called %s", (realm) => {
    expect(authorize(request(), www(`Digest realm="${realm}", nonce="1"`), {})).toBe(false);
  });

  it("come from a function at once", () => {
    const asked = request();
    const look = (realm: string) => (realm === "a" ? (["alice", "secret"] as const) : undefined);
    expect(authorize(asked, two, look)).toBe(true);
    expect(users(asked)).toEqual(["alice@a"]);
  });

  it("come from a function later", async () => {
    const asked = request();
    const answered = authorize(asked, two, async (realm) => [realm, "secret"]);
    expect(asked.headers.has("Authorization")).toBe(false);
    expect(await answered).toBe(true);
    expect(users(asked)).toEqual(["a@a", "b@b"]);
    expect(await authorize(request(), two, async () => undefined)).toBe(false);
  });
});

describe("answering again", () => {
  const challenge = (nonce: string, more = ""): Response =>
    www(`Digest realm="r", nonce="${nonce}", qop="auth"${more}`);

  it("ends when the credentials were refused", () => {
    const asked = request();
    expect(authorize(asked, challenge("1"), ["alice", "wrong"])).toBe(true);
    expect(authorize(asked, challenge("2"), ["alice", "wrong"])).toBe(false);
    expect(authorize(asked, challenge("2", ", stale=FALSE"), ["alice", "wrong"])).toBe(false);
    expect(asked.cseq.number).toBe(8);
  });

  it("goes on with a new nonce for a stale one, in the old one's place", () => {
    const asked = request();
    authorize(asked, challenge("1"), ["alice", "secret"]);
    expect(authorize(asked, challenge("2", ", stale=TRUE"), ["alice", "secret"])).toBe(true);
    expect(sent(asked).map((params) => [params.get("nonce"), params.get("nc")])).toEqual([
      ["2", "00000001"],
    ]);
    expect(asked.cseq.number).toBe(9);
  });

  it("counts the uses of a nonce", () => {
    const asked = request();
    authorize(asked, challenge("1"), ["alice", "secret"]);
    authorize(asked, challenge("1", ", stale=true"), ["alice", "secret"]);
    expect(sent(asked).map((params) => params.get("nc"))).toEqual(["00000002"]);
  });

  it("ends with a server that calls every nonce stale", () => {
    const asked = request();
    let answers = 0;
    while (answers < 20 && authorize(asked, challenge(`${answers}`, ", stale=true"), ["a", "b"])) {
      answers++;
    }
    expect(answers).toBe(2);
  });

  it("ends with servers that ask for one more realm each time", () => {
    const asked = request();
    let answers = 0;
    while (answers < 20) {
      const further = www(`Digest realm="${answers}", nonce="n", qop="auth"`);
      if (!authorize(asked, further, ["alice", "secret"])) break;
      answers++;
    }
    expect(answers).toBe(8);
  });

  it("begins anew with the next request, which has a higher CSeq", () => {
    const asked = request();
    for (let round = 0; round < 5; round++) {
      expect(authorize(asked, challenge(`${round}`, ", stale=true"), ["a", "b"])).toBe(true);
      // It went well; later it is refreshed.
      asked.headers.set("cseq", `${asked.cseq.number + 1} REGISTER`);
    }
  });

  it("counts another use of the nonces of realms that it answered before", () => {
    const users = { r: ["alice", "secret"], s: ["bob", "other"] } as const;
    const asked = request();
    const r = 'Digest realm="r", nonce="1", qop="auth", opaque="o"';
    authorize(asked, www(r), users, { random });
    authorize(asked, www('Digest realm="s", nonce="2", qop="auth"'), users, { random });
    const counts = (): unknown[] =>
      sent(asked).map((params) => [params.get("realm"), params.get("nonce"), params.get("nc")]);
    expect(counts()).toEqual([
      ["r", "1", "00000002"],
      ["s", "2", "00000001"],
    ]);
    const use = { nonce: "1", nc: "00000002", cnonce: "cnonce" };
    const input = { algorithm: "MD5", qop: "auth", ...use } as const;
    expect(sent(asked)[0]?.get("response")).toBe(
      digestResponse(
        ha1Of("alice", "r", "secret"),
        ha2Of("REGISTER", "sip:example.com", "MD5"),
        input,
      ),
    );
    expect(sent(asked)[0]?.get("opaque")).toBe("o");
    // One whose password is forgotten meanwhile stays as it is.
    authorize(asked, www('Digest realm="t", nonce="3", qop="auth"'), { t: ["carol", "third"] });
    expect(counts()).toEqual([
      ["r", "1", "00000002"],
      ["s", "2", "00000001"],
      ["t", "3", "00000001"],
    ]);
    // Nobody asks: nothing is repeated.
    expect(authorize(asked, new Response(401), users)).toBe(false);
    expect(asked.cseq.number).toBe(10);
  });

  it("answers a further realm beside those that it answered", () => {
    const asked = request();
    authorize(asked, challenge("1"), ["alice", "secret"]);
    const both = www('Digest realm="r", nonce="2"', 'Digest realm="s", nonce="3"');
    expect(authorize(asked, both, ["alice", "secret"])).toBe(true);
    expect(sent(asked).map((params) => [params.get("realm"), params.get("nonce")])).toEqual([
      ["r", "1"],
      ["s", "3"],
    ]);
  });
});
