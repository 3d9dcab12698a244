import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type AnyHandler,
  type Identity,
  identity,
  type LegAddress,
  type Peer,
  Request,
  type Response,
} from "@sipkit/core";
import { TestServer, VirtualClock } from "@sipkit/core/testing";
import {
  CompactEncrypt,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTPayload,
  SignJWT,
} from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { Authorize } from "./authorize.ts";
import type { AuthorizeOptions } from "./authorize-options.ts";
import { authorize } from "./authorize-request.ts";
import type { BearerOptions, TokenVerifier } from "./bearer.ts";
import { loadJose } from "./jose-module.ts";
import { type JwtOptions, jwtTokens } from "./jwt-tokens.ts";
import { Throttle } from "./throttle.ts";

const issuer = "https://login.example.com";
const audience = "sip:example.com";
const now = new VirtualClock().wall() / 1000;

const ours = await generateKeyPair("ES256");
const others = await generateKeyPair("ES256");
const sealed = await generateKeyPair("RSA-OAEP-256");
const keys: JSONWebKeySet = {
  keys: [{ ...(await exportJWK(ours.publicKey)), kid: "k1", alg: "ES256" }],
};

const good: JWTPayload = {
  iss: issuer,
  aud: audience,
  sub: "alice",
  exp: now + 600,
  scope: "sip openid",
};

/** A token with these claims. */
function token(
  changed: Readonly<Record<string, unknown>> = {},
  { key = ours.privateKey, kid = "k1", typ = "at+jwt" } = {},
): Promise<string> {
  return new SignJWT({ ...good, ...changed })
    .setProtectedHeader({ alg: "ES256", kid, typ })
    .sign(key);
}

let branches = 0;

function make(
  method: string,
  headers: Readonly<Record<string, string | readonly string[]>>,
): Request {
  branches += 1;
  const uri = method === "REGISTER" ? "sip:example.com" : "sip:bob@example.com";
  return new Request(method, uri, {
    headers: {
      Via: `SIP/2.0/TLS 192.0.2.100;branch=z9hG4bK${branches}`,
      "Max-Forwards": "70",
      From: "<sip:alice@example.com>;tag=1",
      To: "<sip:alice@example.com>",
      "Call-ID": `${branches}@phone`,
      CSeq: `1 ${method}`,
      ...headers,
    },
  });
}

/** A server that takes tokens, and what came through. */
class Site {
  readonly server: TestServer;
  readonly passed: Request[];

  private constructor(server: TestServer, passed: Request[]) {
    this.server = server;
    this.passed = passed;
  }

  static async open(
    options: Partial<JwtOptions> = {},
    {
      leg = "tls:192.0.2.1:5061",
      bearer = {},
      before = [],
      ...rest
    }: {
      readonly leg?: LegAddress;
      readonly bearer?: Partial<BearerOptions>;
      readonly before?: readonly AnyHandler[];
    } & Partial<Omit<AuthorizeOptions, "bearer">> = {},
  ): Promise<Site> {
    const passed: Request[] = [];
    const tokens = jwtTokens({ issuer, audience, keys, ...options });
    const authorizer = new Authorize({
      realm: "example.com",
      ...rest,
      bearer: { tokens, ...bearer },
    } as AuthorizeOptions);
    const serve: AnyHandler = (packet) => {
      if (!packet.isRequest || packet.method === "ACK") return undefined;
      passed.push(packet);
      return packet.createResponse(200);
    };
    return new Site(await TestServer.start([...before, authorizer, serve], { leg }), passed);
  }

  async send(request: Request, from: Partial<Peer> = {}): Promise<Response> {
    const { sent } = await this.server.ask(request, { from });
    return sent[0] as Response;
  }

  /** What a REGISTER with that token gets: the status, and what the challenge calls wrong. */
  async told(token: string | Promise<string>): Promise<string> {
    const given = await token;
    const response = await this.send(make("REGISTER", { Authorization: `Bearer ${given}` }));
    const error = /error="([^"]*)"/.exec(response.headers.getAll("www-authenticate").join())?.[1];
    return error === undefined ? String(response.status) : `${response.status} ${error}`;
  }

  get identity(): Identity | undefined {
    return this.passed.at(-1)?.get(identity);
  }
}

describe("Bearer challenge, RFC 8898 §4", () => {
  it("says where tokens are from, and for what", async () => {
    const site = await Site.open({ scope: "sip" });
    const register = await site.send(make("REGISTER", {}));
    expect(register.status).toBe(401);
    expect(register.headers.getAll("www-authenticate")).toEqual([
      'Bearer realm="example.com", scope="sip", authz_server="https://login.example.com"',
    ]);
    const invite = await site.send(make("INVITE", {}));
    expect(invite.status).toBe(407);
    expect(invite.headers.getAll("proxy-authenticate")).toHaveLength(1);
  });

  it("stands behind those of Digest, and either is taken", async () => {
    const site = await Site.open({}, { credentials: { alice: "secret" } });
    const request = make("REGISTER", {});
    const challenge = await site.send(request);
    expect(
      challenge.headers.getAll("www-authenticate").map((value) => value.split(" ")[0]),
    ).toEqual(["Digest", "Bearer"]);
    expect(authorize(request, challenge, ["alice", "secret"])).toBe(true);
    request.headers.set("via", "SIP/2.0/TLS 192.0.2.100;branch=z9hG4bKdigest");
    expect((await site.send(request)).status).toBe(200);
    expect(site.identity?.scheme).toBe("digest MD5");
    expect(await site.told(token())).toBe("200");
    expect(site.identity?.scheme).toBe("bearer");
  });

  it("is not made where tokens could be read on the way, nor are they taken there", async () => {
    const both = await Site.open(
      {},
      { leg: "udp:192.0.2.1:5060", credentials: { alice: "secret" } },
    );
    const challenge = await both.send(
      make("REGISTER", { Authorization: `Bearer ${await token()}` }),
    );
    expect(challenge.status).toBe(401);
    expect(challenge.headers.getAll("www-authenticate").join()).not.toContain("Bearer");
    const alone = await Site.open({}, { leg: "tcp:192.0.2.1:5060" });
    expect((await alone.send(make("REGISTER", {}))).status).toBe(403);
    expect(await alone.told(token())).toBe("403");
    const open = await Site.open(
      {},
      { leg: "tcp:192.0.2.1:5060", bearer: { overPlainTransports: true } },
    );
    expect(await open.told(token())).toBe("200");
  });

  it("gives way to Digest over UDP, where answers are held to the size of requests", async () => {
    const site = await Site.open(
      { authzServer: `https://login.example.com/${"x".repeat(300)}` },
      {
        leg: "udp:192.0.2.1:5060",
        credentials: { alice: "secret" },
        bearer: { overPlainTransports: true },
      },
    );
    const schemes = async (headers: Readonly<Record<string, string>>): Promise<string> =>
      (await site.send(make("REGISTER", headers))).headers
        .getAll("www-authenticate")
        .map((value) => value.split(" ")[0])
        .join();
    expect(await schemes({})).toBe("Digest");
    expect(await schemes({ "User-Agent": "x".repeat(600) })).toBe("Bearer,Digest");
  });
});

describe("a token, RFC 8898 §2.2", () => {
  it("proves its user, and goes no further", async () => {
    const site = await Site.open();
    expect(await site.told(token())).toBe("200");
    expect(site.identity).toMatchObject({
      user: "alice",
      realm: "example.com",
      addressOfRecord: "sip:alice@example.com",
      scheme: "bearer",
    });
    expect(site.passed[0]?.headers.has("authorization")).toBe(false);
  });

  it("is taken from either header where we are a proxy, and taken out of both", async () => {
    const site = await Site.open();
    for (const name of ["Authorization", "Proxy-Authorization"]) {
      const request = make("INVITE", { [name]: `bearer  ${await token()}` });
      expect((await site.send(request)).status).toBe(200);
      expect(site.passed.at(-1)?.headers.has(name)).toBe(false);
    }
    const other = 'Digest realm="other", username="a", nonce="n", uri="sip:b", response="0"';
    const request = make("INVITE", {
      "Proxy-Authorization": `Bearer ${await token()}`,
      Authorization: [other, "Bearer x"],
    });
    expect((await site.send(request)).status).toBe(200);
    expect(site.passed.at(-1)?.headers.getAll("authorization")).toEqual([other]);
  });

  it("lets its user do what he may, and nothing else", async () => {
    const site = await Site.open({}, { mayRegister: { alice: "sip:sales@example.com" } });
    const bearer = { Authorization: `Bearer ${await token()}` };
    const status = async (method: string, headers: Readonly<Record<string, string>>) =>
      (await site.send(make(method, { ...bearer, ...headers }))).status;
    expect(await status("REGISTER", { To: "<sip:sales@example.com>" })).toBe(200);
    expect(await status("REGISTER", { To: "<sip:bob@example.com>" })).toBe(403);
    expect(await status("INVITE", { From: "<sip:bob@example.com>;tag=1" })).toBe(403);
  });

  it.each<[string, () => string | Promise<string>]>([
    ["another issuer's", () => token({ iss: "https://evil.example" })],
    ["for somebody else", () => token({ aud: "https://mail.example.com" })],
    ["without an audience", () => token({ aud: undefined })],
    ["that has ended", () => token({ exp: now - 6 })],
    ["without an end", () => token({ exp: undefined })],
    ["that begins later", () => token({ nbf: now + 60 })],
    ["signed by another key", () => token({}, { key: others.privateKey })],
    ["signed by a key that nobody knows", () => token({}, { kid: "k2" })],
    ["of nobody", () => token({ sub: undefined })],
    ["of a user who is no name", () => token({ sub: { toString: "alice" } })],
    ["of a name with controls", () => token({ sub: "alice\r\nX: 1" })],
    ["that is no token", () => "abc"],
    ["of empty parts", () => "a.b.c"],
    ["that is encrypted, for nobody here", () => "a.b.c.d.e"],
    [
      "that nobody signed",
      () =>
        `${btoa('{"alg":"none"}').replace(/=+$/, "")}.${btoa(JSON.stringify(good)).replace(/=+$/, "")}.`,
    ],
    [
      "signed with the public key as if it were a secret",
      async () =>
        new SignJWT(good)
          .setProtectedHeader({ alg: "HS256", kid: "k1" })
          .sign(Buffer.from(JSON.stringify(keys.keys[0]))),
    ],
  ])("is refused %s", async (_what, make) => {
    const site = await Site.open();
    expect(await site.told(make())).toMatch(/^401(?: invalid_token)?$/);
    expect(site.passed).toEqual([]);
    expect(site.server.errors).toEqual([]);
  });

  it("may have ended within the tolerance", async () => {
    const site = await Site.open({ tolerance: 10 });
    expect(await site.told(token({ exp: now - 9 }))).toBe("200");
    await site.server.clock.advance(2000);
    expect(await site.told(token({ exp: now - 9 }))).toBe("401 invalid_token");
    expect(site.server.dispatcher.counters()).toMatchObject({ wrongTokens: 1 });
  });

  it("must be good for what is asked for", async () => {
    const site = await Site.open({ scope: "sip calls" });
    expect(await site.told(token({ scope: "calls openid sip" }))).toBe("200");
    expect(await site.told(token({ scope: ["sip", "calls"] }))).toBe("200");
    expect(await site.told(token({ scope: "sip callsign" }))).toBe("401 insufficient_scope");
    expect(await site.told(token({ scope: undefined }))).toBe("401 insufficient_scope");
  });

  it("must be of the type that is asked for", async () => {
    const site = await Site.open({ type: "at+jwt" });
    expect(await site.told(token())).toBe("200");
    expect(await site.told(token({}, { typ: "JWT" }))).toBe("401 invalid_token");
  });

  it("names its user in the claim that is chosen", async () => {
    const claim = await Site.open({ user: "preferred_username" });
    expect(await claim.told(token({ sub: "f81d4fae", preferred_username: "alice" }))).toBe("200");
    expect(await claim.told(token())).toBe("401 invalid_token");
    const made = await Site.open({ user: ({ email }) => String(email).split("@")[0] });
    expect(await made.told(token({ email: "alice@example.com" }))).toBe("200");
  });

  it("may be encrypted for us, RFC 8898 §2.1.2", async () => {
    const site = await Site.open({ decryptWith: sealed.privateKey });
    const encrypt = async (text: string): Promise<string> =>
      new CompactEncrypt(Buffer.from(text))
        .setProtectedHeader({ alg: "RSA-OAEP-256", enc: "A256GCM", cty: "JWT" })
        .encrypt(sealed.publicKey);
    expect(await site.told(encrypt(await token()))).toBe("200");
    expect(await site.told(token())).toBe("200");
    expect(await site.told(encrypt(await token({ exp: now - 60 })))).toBe("401 invalid_token");
    expect(await site.told(encrypt("no token"))).toBe("401 invalid_token");
    expect(await site.told((await encrypt(await token())).replace(/.{8}$/, "AAAAAAAA"))).toBe(
      "401 invalid_token",
    );
  });

  it("doesn't count when there are two, or when it is malformed", async () => {
    const site = await Site.open();
    const right = await token();
    for (const lines of [[`Bearer ${right}`, `Bearer ${right}`], `Bearer "${right}"`, "Bearer "]) {
      expect((await site.send(make("REGISTER", { Authorization: lines }))).status).toBe(401);
    }
  });

  it("makes its flow known to a throttle, and isn't counted when it is wrong", async () => {
    const throttle = new Throttle({
      perAddress: { failures: 1 },
      perUserAtAddress: { failures: 1 },
    });
    const site = await Site.open({}, { before: [throttle], credentials: { bob: "other" } });
    for (let i = 0; i < 5; i++) expect(await site.told("abc")).toBe("401 invalid_token");
    expect(throttle.bans()).toEqual([]);
    expect(await site.told(token())).toBe("200");
    const request = make("REGISTER", { To: "<sip:bob@example.com>" });
    const challenge = await site.send(request, { port: 7 });
    authorize(request, challenge, ["bob", "guess"]);
    request.headers.set("via", "SIP/2.0/TLS 192.0.2.100;branch=z9hG4bKguess");
    await site.send(request, { port: 7 });
    expect(throttle.bans()).toHaveLength(1);
    expect(await site.told(token())).toBe("200");
  });
});

describe("the keys of an issuer", () => {
  const open: Server[] = [];
  afterEach(() => {
    for (const server of open.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Where an issuer's keys are. */
  async function serve(
    answer: "keys" | "error" | "nothing",
  ): Promise<{ url: URL; asked: () => number }> {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      if (answer === "keys") response.end(JSON.stringify(keys));
      if (answer === "error") response.writeHead(500).end();
    });
    open.push(server);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    return { url: new URL(`http://127.0.0.1:${port}/jwks`), asked: () => asked };
  }

  it("are asked for once, and strangers' keys don't have them asked for again and again", async () => {
    const { url, asked } = await serve("keys");
    const site = await Site.open({ keys: url });
    expect(asked()).toBe(0);
    expect(await site.told(token())).toBe("200");
    for (let i = 0; i < 10; i++) {
      expect(await site.told(token({}, { kid: `k${i + 2}` }))).toBe("401 invalid_token");
    }
    expect(asked()).toBe(1);
  });

  it.each(["error", "nothing"] as const)("that don't come make it a 500: %s", async (answer) => {
    const { url } = await serve(answer);
    const site = await Site.open({ keys: url, timeout: 50 });
    expect(await site.told(token())).toBe("500");
    expect(site.server.errors).toMatchObject([{ cause: { code: "SIP_TOKENS_FAILED" } }]);
    expect(site.passed).toEqual([]);
  });
});

describe("options", () => {
  it.each<[string, Partial<JwtOptions>]>([
    ["no issuer", { issuer: "" }],
    ["no audience", { audience: [] }],
    ["a signature that is none", { algorithms: ["none"] }],
    ["a signature by a shared secret", { algorithms: ["ES256", "HS256"] }],
    ["a server that isn't an https URI", { authzServer: "http://login.example.com" }],
    ["a server that can't be quoted", { authzServer: 'https://login.example.com/"' }],
    ["a scope that can't be quoted", { scope: 'a"' }],
  ])("refuse %s", (_what, options) => {
    expect(
      () =>
        new Authorize({
          realm: "example.com",
          bearer: { tokens: jwtTokens({ issuer, audience, keys, ...options }) },
        }),
    ).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
  });

  it("name the command where jose isn't installed", async () => {
    const error = await loadJose(() => Promise.reject(new Error("not found"))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: "SIP_NO_JOSE",
      message: expect.stringContaining("npm install jose"),
    });
  });

  it("take a verifier of one's own", async () => {
    const tokens: TokenVerifier = {
      authzServer: "https://login.example.com",
      verify: (given) => (given === "opaque" ? { user: "alice" } : "invalid_token"),
    };
    const site = await Site.open({}, { bearer: { tokens } });
    expect(await site.told("opaque")).toBe("200");
    expect(await site.told("other")).toBe("401 invalid_token");
  });
});
