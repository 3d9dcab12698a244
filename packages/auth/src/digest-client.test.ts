import { authorization, proxyAuthorization, Request, Response, type Server } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import type { Algorithm } from "./algorithm.ts";
import { Authorize } from "./authorize.ts";
import type { AuthorizeOptions } from "./authorize-options.ts";
import { DigestClient } from "./digest-client.ts";

const credentials = { "example.com": ["alice", "secret"] } as const;

/** A server that answers 200 to whatever passes, and a way to ask it. */
class Site {
  readonly test: TestServer;
  /** What came, in order, and what it was answered with. */
  readonly seen: { readonly request: Request; readonly response: Response }[] = [];
  /** Changes answers on their way. */
  alter: (response: Response) => void = () => undefined;

  private constructor(test: TestServer) {
    this.test = test;
  }

  static async open(options: Partial<AuthorizeOptions> = {}): Promise<Site> {
    const authorize = new Authorize({
      realm: "example.com",
      credentials: { alice: "secret" },
      ...options,
    } as AuthorizeOptions);
    const accept = (packet: Request | Response): Response | undefined =>
      packet.isRequest ? packet.createResponse(200, { body: "hello" }) : undefined;
    return new Site(await TestServer.start([authorize, accept]));
  }

  get server(): Pick<Server, "request"> {
    return {
      request: (request) => ({ request, final: this.#ask(request) }) as never,
    };
  }

  get statuses(): number[] {
    return this.seen.splice(0).map(({ response }) => response.status);
  }

  async #ask(request: Request): Promise<Response> {
    branches += 1;
    const copy = request.clone();
    copy.headers.set("via", `SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${branches}`);
    const [response] = (await this.test.ask(copy)).sent as Response[];
    if (response === undefined) throw new Error("no answer");
    this.alter(response);
    this.seen.push({ request: copy, response });
    return response;
  }
}

let branches = 0;
let cseqs = 0;

function make(method: string, uri: string, body = ""): Request {
  cseqs += 100;
  return new Request(method, uri, {
    headers: {
      "Max-Forwards": "70",
      From: "<sip:alice@example.com>;tag=1",
      To: "<sip:alice@example.com>",
      "Call-ID": "call",
      CSeq: `${cseqs} ${method}`,
    },
    body,
  });
}

const register = (): Request => make("REGISTER", "sip:example.com");
const message = (to = "bob"): Request => make("MESSAGE", `sip:${to}@example.com`, "hi");

const all: readonly Algorithm[] = [
  "SHA-512-256",
  "SHA-512-256-sess",
  "SHA-256",
  "SHA-256-sess",
  "MD5",
  "MD5-sess",
];

describe("a digest client and our server", () => {
  it.each(
    all.flatMap((algorithm) =>
      (["auth", "auth-int"] as const).map((qop) => [algorithm, qop] as const),
    ),
  )("agree on %s with %s, on user hashes, and on who the server is", async (algorithm, qop) => {
    const site = await Site.open({
      algorithms: [algorithm],
      qop: [qop],
      userhash: true,
      authenticationInfo: true,
    });
    const client = new DigestClient({ credentials, requireProof: true });
    for (const request of [register(), register(), register()]) {
      expect((await client.request(site.server, request)).status).toBe(200);
    }
    const sent = site.seen.at(-1)?.request.headers.read(authorization)?.params;
    expect([sent?.get("nc"), sent?.get("qop")]).toEqual(["00000003", qop]);
    expect(sent?.get("username")).not.toBe("alice");
    expect(site.statuses).toEqual([401, 200, 200, 200]);
  });

  it("notice a body that was changed on the way, in either direction", async () => {
    const site = await Site.open({ qop: ["auth-int"], authenticationInfo: true });
    const client = new DigestClient({ credentials });
    const request = make("MESSAGE", "sip:example.com", "hi");
    await client.request(site.server, request);
    expect(client.prepare(request)).toBe(true);
    request.headers.set("via", "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKchanged");
    const original = request.clone();
    request.body = Buffer.from("ho");
    expect(((await site.test.ask(request)).sent[0] as Response).status).toBe(401);
    const [response] = (await site.test.ask(original)).sent as Response[];
    expect(response?.status).toBe(200);
    expect(client.accept(original, response as Response)).toBe("right");
    (response as Response).body = Buffer.from("HELLO");
    expect(client.accept(original, response as Response)).toBe("wrong");
  });
});

describe("a digest client", () => {
  it("is challenged once, and counts", async () => {
    const site = await Site.open();
    const client = new DigestClient({ credentials });
    for (let i = 0; i < 3; i++) await client.request(site.server, register());
    const counts = site.seen.map(({ request }) =>
      request.headers.read(authorization)?.params.get("nc"),
    );
    expect(counts).toEqual([undefined, "00000001", "00000002", "00000003"]);
    expect(client.remembered).toBe(1);
  });

  it("answers a stale nonce with the new one", async () => {
    const site = await Site.open({ nonceLifetime: 60 });
    const client = new DigestClient({ credentials });
    await client.request(site.server, register());
    await site.test.clock.advance(60_001);
    expect((await client.request(site.server, register())).status).toBe(200);
    expect(site.statuses).toEqual([401, 200, 401, 200]);
  });

  it("tries once more when a nonce from before is refused for good, and no oftener", async () => {
    const client = new DigestClient({ credentials });
    const before = await Site.open();
    await client.request(before.server, register());
    // The server has another secret now.
    const site = await Site.open();
    expect((await client.request(site.server, register())).status).toBe(200);
    expect(site.statuses).toEqual([401, 200]);
    const changed = await Site.open({ credentials: { alice: "another" } });
    expect((await client.request(changed.server, register())).status).toBe(401);
    expect(changed.statuses).toEqual([401, 401]);
    expect(client.remembered).toBe(0);
  });

  it("ends after two tries with a server that calls every nonce stale", async () => {
    const site = await Site.open();
    site.alter = (response) => {
      response.status = 401;
      response.headers.set(
        "WWW-Authenticate",
        'Digest realm="example.com", nonce="n", qop="auth", stale=true',
      );
    };
    const client = new DigestClient({ credentials });
    expect((await client.request(site.server, register())).status).toBe(401);
    expect(site.statuses).toEqual([401, 401, 401]);
  });

  it("shows a server's credentials to requests for the same URI alone, a proxy's to all", async () => {
    const site = await Site.open();
    const client = new DigestClient({ credentials });
    await client.request(site.server, register());
    await client.request(site.server, message());
    await client.request(site.server, message("carol"));
    const last = site.seen.at(-1)?.request;
    expect(last?.headers.has("Authorization")).toBe(false);
    expect(last?.headers.read(proxyAuthorization)?.params.get("nc")).toBe("00000002");
    expect(site.statuses).toEqual([401, 200, 407, 200, 200]);
    expect(client.prepare(make("ACK", "sip:bob@example.com"))).toBe(false);
  });

  it("answers only the realms that it was given", async () => {
    const site = await Site.open();
    const client = new DigestClient({ credentials: { "elsewhere.test": ["alice", "secret"] } });
    expect((await client.request(site.server, register())).status).toBe(401);
    expect(site.statuses).toEqual([401]);
    expect(client.remembered).toBe(0);
  });

  it("takes credentials from a function that answers later", async () => {
    const site = await Site.open();
    const client = new DigestClient({ credentials: async () => ["alice", "secret"] });
    expect((await client.request(site.server, register())).status).toBe(200);
    expect((await client.request(site.server, register())).status).toBe(200);
    expect(site.statuses).toEqual([401, 200, 200]);
  });

  it("remembers 16 realms, the latest", async () => {
    const client = new DigestClient({ credentials: ["alice", "secret"] });
    for (let i = 0; i < 20; i++) {
      const challenge = new Response(407, {
        headers: { "Proxy-Authenticate": `Digest realm="${i}", nonce="n", qop="auth"` },
      });
      expect(client.answer(message(), challenge)).toBe(true);
    }
    expect(client.remembered).toBe(16);
    const next = message();
    client.prepare(next);
    const realms = next.headers
      .readAll(proxyAuthorization)
      .map(({ params }) => params.get("realm"));
    expect(realms.slice(0, 2)).toEqual(["4", "5"]);
  });
});

describe("Authentication-Info, RFC 7616 §3.5", () => {
  const info = async (
    options: Partial<AuthorizeOptions>,
    advance = 0,
  ): Promise<string | undefined> => {
    const site = await Site.open(options);
    const client = new DigestClient({ credentials });
    await client.request(site.server, register());
    await site.test.clock.advance(advance);
    const response = await client.request(site.server, register());
    return response.headers.get("Authentication-Info");
  };

  it("is not sent unless asked for", async () => {
    expect(await info({})).toBeUndefined();
  });

  it("proves the server, and names the next nonce near the end of this one", async () => {
    const proof = /^qop=auth, rspauth="[0-9a-f]{32}", cnonce="[^"]+", nc=00000002$/;
    expect(await info({ authenticationInfo: true })).toMatch(proof);
    expect(await info({ authenticationInfo: true }, 225_000)).toMatch(proof);
    expect(await info({ authenticationInfo: true }, 225_001)).toMatch(/, nextnonce="[\w-]{48}"$/);
  });

  it("goes to no answer but a 2xx of the server's own", async () => {
    const site = await Site.open({ authenticationInfo: true });
    const client = new DigestClient({ credentials });
    await client.request(site.server, message());
    await client.request(site.server, make("REGISTER", "sip:mallory@elsewhere.test"));
    const refused = make("REGISTER", "sip:example.com");
    refused.headers.set("To", "<sip:bob@example.com>");
    expect((await client.request(site.server, refused)).status).toBe(403);
    expect(site.seen.some(({ response }) => response.headers.has("Authentication-Info"))).toBe(
      false,
    );
  });

  it("is of each realm that a request went through", async () => {
    const accept = (packet: Request | Response): Response | undefined =>
      packet.isRequest ? packet.createResponse(200) : undefined;
    const realm = (name: string): Authorize =>
      new Authorize({
        realm: name,
        credentials: { alice: "secret" },
        authenticationInfo: true,
        domains: ["example.com"],
      });
    const test = await TestServer.start([realm("one"), realm("two"), accept]);
    const client = new DigestClient({ credentials: ["alice", "secret"] });
    const request = register();
    let response: Response | undefined;
    do {
      branches += 1;
      request.headers.set("via", `SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${branches}`);
      [response] = (await test.ask(request)).sent as Response[];
    } while (response !== undefined && client.answer(request, response));
    expect(response?.status).toBe(200);
    // The outer one, which comes last on the way out, has the last word.
    const cnonces = request.headers
      .readAll(authorization)
      .map(({ params }) => params.get("cnonce"));
    expect(response?.headers.getAll("Authentication-Info")).toHaveLength(1);
    expect(response?.headers.get("Authentication-Info")).toContain(`cnonce="${cnonces[0]}"`);
  });

  it("lets a client go on without another challenge", async () => {
    const site = await Site.open({ authenticationInfo: true, nonceLifetime: 100 });
    const client = new DigestClient({ credentials, requireProof: true });
    for (let i = 0; i < 10; i++) {
      await client.request(site.server, register());
      await site.test.clock.advance(40_000);
    }
    expect(site.statuses.filter((status) => status === 401)).toHaveLength(1);
  });

  it("makes one-time nonces bearable", async () => {
    const site = await Site.open({ authenticationInfo: true, oneTimeNonces: true });
    const client = new DigestClient({ credentials, requireProof: true });
    for (let i = 0; i < 3; i++) await client.request(site.server, register());
    expect(site.statuses).toEqual([401, 200, 200, 200]);
    // A client that doesn't listen.
    const deaf = await Site.open({ oneTimeNonces: true });
    for (let i = 0; i < 2; i++)
      await client.request(deaf.server, register()).catch(() => undefined);
    expect(deaf.statuses).toEqual([401, 200, 401, 200]);
  });

  it("keeps a session's key when a server names another nonce", async () => {
    const site = await Site.open({ algorithms: ["MD5-sess"], authenticationInfo: true });
    const client = new DigestClient({ credentials });
    await client.request(site.server, register());
    const { request, response } = site.seen.at(-1) ?? {};
    const next = (response as Response).headers.get("Authentication-Info");
    (response as Response).headers.set("Authentication-Info", `${next}, nextnonce="next"`);
    expect(client.accept(request as Request, response as Response)).toBe("right");
    const again = register();
    client.prepare(again);
    const [before, after] = [request, again].map((one) => one?.headers.read(authorization)?.params);
    expect(after?.get("nonce")).toBe("next");
    expect(after?.get("nc")).toBe("00000001");
    expect(after?.get("cnonce")).toBe(before?.get("cnonce"));
  });

  it.each([
    ["of another server", (value: string) => value.replace(/rspauth="./, 'rspauth="!')],
    ["for another count", (value: string) => value.replace("nc=00000002", "nc=00000001")],
    ["for another cnonce", (value: string) => value.replace(/cnonce="./, 'cnonce="!')],
  ])("is wrong when it is %s", async (_what, change) => {
    const site = await Site.open({ authenticationInfo: true });
    const client = new DigestClient({ credentials, requireProof: true });
    await client.request(site.server, register());
    site.alter = (response) => {
      const value = response.headers.get("Authentication-Info");
      if (value !== undefined)
        response.headers.set("Authentication-Info", `${change(value)}, nextnonce="x"`);
    };
    await expect(client.request(site.server, register())).rejects.toMatchObject({
      code: "SIP_SERVER_NOT_PROVED",
    });
    const next = register();
    client.prepare(next);
    expect(next.headers.get("Authorization")).not.toContain('nonce="x"');
  });

  it("is nothing when it is malformed", async () => {
    const site = await Site.open();
    const client = new DigestClient({ credentials });
    for (const value of ["", ",", 'rspauth="', "rspauth", `${"a=b,".repeat(100)}a=b`]) {
      site.alter = (response) => response.headers.set("Authentication-Info", value);
      expect((await client.request(site.server, register())).status).toBe(200);
    }
  });
});
