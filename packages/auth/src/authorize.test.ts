import {
  cseq,
  dialogRoute,
  type Identity,
  identity,
  type Random,
  Reject,
  Request,
  type Response,
  SipError,
} from "@sipkit/core";
import { ask, TestServer, type TestServerOptions } from "@sipkit/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Authorize } from "./authorize.ts";
import type { AuthorizeOptions } from "./authorize-options.ts";
import { authorize } from "./authorize-request.ts";
import type { ClientCredential } from "./client-credentials.ts";
import { digestResponse, ha1Of, ha2Of } from "./digest.ts";
import type { Filter } from "./filter.ts";

const alice: ClientCredential = ["alice", "secret"];
const credentials = { alice: "secret", bob: "other" };

/** A server that answers 200 to whatever passes, and shows it. */
class Site {
  readonly server: TestServer;
  readonly authorize: Authorize;
  readonly #passed: Request[];

  private constructor(server: TestServer, authorize: Authorize, passed: Request[]) {
    this.server = server;
    this.authorize = authorize;
    this.#passed = passed;
  }

  static async open(
    options: Partial<AuthorizeOptions> = {},
    how: TestServerOptions = {},
  ): Promise<Site> {
    const authorize = new Authorize({
      realm: "example.com",
      ...(options.htdigest === undefined && { credentials }),
      ...options,
    } as AuthorizeOptions);
    const passed: Request[] = [];
    const server = await TestServer.start(
      [
        authorize,
        (packet) => {
          if (!packet.isRequest) return undefined;
          passed.push(packet);
          return packet.method === "ACK" ? "drop" : packet.createResponse(200);
        },
      ],
      how,
    );
    return new Site(server, authorize, passed);
  }

  /** What passed last, and was not looked at before. */
  get passed(): Request | undefined {
    return this.#passed.splice(0).at(-1);
  }

  async send(request: Request | string, port: number = 5060): Promise<Response> {
    const { sent } = await this.server.ask(request, { from: { port } });
    expect(sent).toHaveLength(1);
    return sent[0] as Response;
  }

  /** Asks for a challenge and answers it with the right digest, without sending that. */
  async answered(request: Request, pair: ClientCredential = alice): Promise<Request> {
    const challenge = await this.send(request);
    expect([401, 407]).toContain(challenge.status);
    return next(request, challenge, pair);
  }

  /** The whole way: a challenge, and the answer to it. */
  async call(request: Request, pair: ClientCredential = alice): Promise<Response> {
    return this.send(await this.answered(request, pair));
  }
}

let branches = 0;

/** A request as a phone sends it. */
function make(
  method: string,
  uri: string,
  headers: Readonly<Record<string, string>> = {},
): Request {
  return new Request(method, uri, {
    headers: {
      Via: `SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${++branches}`,
      "Max-Forwards": "70",
      From: "<sip:alice@example.com>;tag=1",
      To: "<sip:alice@example.com>",
      "Call-ID": `call${branches}@192.0.2.100`,
      CSeq: `1 ${method}`,
      // Long enough, as phones' are, for several challenges.
      "User-Agent": "a phone",
      Allow:
        "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, MESSAGE, REFER, SUBSCRIBE, INFO, UPDATE, PRACK",
      ...headers,
    },
  });
}

const register = (headers: Readonly<Record<string, string>> = {}): Request =>
  make("REGISTER", "sip:example.com", { Contact: "<sip:alice@192.0.2.100>", ...headers });

const invite = (headers: Readonly<Record<string, string>> = {}): Request =>
  make("INVITE", "sip:bob@example.com", { To: "<sip:bob@example.com>", ...headers });

/** A new transaction of a request. */
function renew(request: Request): Request {
  const copy = request.clone();
  copy.headers.set("via", `SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${++branches}`);
  copy.headers.write(cseq, { number: copy.cseq.number + 1, method: copy.method });
  return copy;
}

function next(request: Request, challenge: Response, pair: ClientCredential): Request {
  const copy = renew(request);
  expect(authorize(copy, challenge, pair)).toBe(true);
  return copy;
}

/** The value of a challenge's parameter. */
function param(response: Response, name: string): string | undefined {
  const value = response.headers.get(
    response.status === 401 ? "WWW-Authenticate" : "Proxy-Authenticate",
  );
  return new RegExp(`${name}="?([^",]*)`).exec(value ?? "")?.[1];
}

/** A request with something in its credentials written otherwise. */
function altered(request: Request, from: string | RegExp, to: string): Request {
  const copy = request.clone();
  for (const name of ["Authorization", "Proxy-Authorization"]) {
    const value = copy.headers.get(name);
    if (value === undefined) continue;
    const changed = value.replace(from, to);
    expect(changed).not.toBe(value);
    copy.headers.set(name, changed);
  }
  return copy;
}

describe("challenge, RFC 3261 §22.1", () => {
  it("offers MD5 and nothing else by default, so that every client gets in", async () => {
    const site = await Site.open();
    const response = await site.send(register());
    expect(response.status).toBe(401);
    expect(response.headers.getAll("WWW-Authenticate")).toEqual([
      expect.stringMatching(
        /^Digest realm="example\.com", nonce="[\w-]{48}", algorithm=MD5, qop="auth"$/,
      ),
    ]);
    expect(site.passed).toBeUndefined();
  });

  it("offers each algorithm in the order of preference, with one nonce", async () => {
    const site = await Site.open({ algorithms: ["SHA-512-256", "SHA-256", "MD5"], opaque: "o" });
    const response = await site.send(register());
    const lines = response.headers.getAll("WWW-Authenticate");
    expect(lines.map((line) => /algorithm=([^,]*)/.exec(line)?.[1])).toEqual([
      "SHA-512-256",
      "SHA-256",
      "MD5",
    ]);
    expect(new Set(lines.map((line) => /nonce="([^"]*)/.exec(line)?.[1])).size).toBe(1);
    expect(lines.every((line) => line.includes('opaque="o"'))).toBe(true);
  });

  it.each([
    ["REGISTER", "sip:example.com", 401],
    ["REGISTER", "sip:192.0.2.1:5060", 401],
    ["REGISTER", "sip:alice@example.com", 401],
    ["OPTIONS", "sip:example.com", 401],
    ["OPTIONS", "sip:192.0.2.1", 401],
    ["FROBNICATE", "sip:example.com", 401],
    ["INVITE", "sip:bob@example.com", 407],
    ["MESSAGE", "sip:bob@example.com", 407],
    ["SUBSCRIBE", "sip:bob@example.com", 407],
    ["NOTIFY", "sip:bob@example.com", 407],
    ["OPTIONS", "sip:bob@example.com", 407],
    ["INVITE", "sip:bob@elsewhere.test", 407],
    ["INVITE", "tel:+15550100", 407],
    ["FROBNICATE", "sip:bob@example.com", 407],
    ["REGISTER", "sip:elsewhere.test", 407],
  ] as const)("%s %s: %i", async (method, uri, status) => {
    const site = await Site.open();
    const response = await site.send(make(method, uri));
    expect(response.status).toBe(status);
    expect(response.headers.has("WWW-Authenticate")).toBe(status === 401);
    expect(response.headers.has("Proxy-Authenticate")).toBe(status === 407);
    expect(site.passed).toBeUndefined();
  });

  it("challenges what has a To tag but no signed Route", async () => {
    const site = await Site.open();
    const response = await site.send(
      make("BYE", "sip:bob@example.com", { To: "<sip:bob@example.com>;tag=b" }),
    );
    expect(response.status).toBe(407);
  });

  it("is shorter for what is short, and none for what is shorter still, but over a connection", async () => {
    const short = (size: number): string => {
      const lines = [
        "OPTIONS sip:a SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.100;branch=z9hG4bKx",
        "From: <sip:a>;tag=1",
        "To: <sip:a>",
        "Call-ID: c",
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 70",
      ];
      const length = lines.join("\r\n").length + "\r\nX: \r\n\r\n".length;
      return [...lines, `X: ${"x".repeat(size - length)}`, "", ""].join("\r\n");
    };
    const algorithms = ["SHA-512-256", "SHA-256", "MD5"] as const;
    const offered = async (size: number, leg?: "tcp:192.0.2.1:5060"): Promise<number> => {
      const site = await Site.open({ algorithms }, leg === undefined ? {} : { leg });
      const { sent } = await site.server.ask(short(size));
      const { tooShortToChallenge = 0 } = site.server.dispatcher.counters();
      expect(tooShortToChallenge).toBe(sent.length === 0 ? 1 : 0);
      for (const answer of sent) {
        if (leg === undefined) expect(answer.toWire().length).toBeLessThanOrEqual(2 * size);
      }
      return sent[0]?.headers.getAll("Proxy-Authenticate").length ?? 0;
    };
    const counts: number[] = [];
    for (let size = 160; size < 360; size++) counts.push(await offered(size));
    expect(counts).toEqual(counts.toSorted());
    expect(new Set(counts)).toEqual(new Set([0, 1, 2, 3]));
    expect(await offered(160, "tcp:192.0.2.1:5060")).toBe(3);
  });

  it("leaves nothing behind", async () => {
    const site = await Site.open();
    for (let i = 0; i < 10; i++) await site.send(invite());
    expect(site.server.dispatcher.stats()).toMatchObject({ inviteServers: 0, transactionBytes: 0 });
    expect(site.authorize.rememberedNonces).toBe(0);
  });

  it("never challenges ACK", async () => {
    const site = await Site.open();
    const { sent } = await site.server.ask(make("ACK", "sip:bob@example.com"));
    expect(sent).toEqual([]);
    expect(site.passed?.method).toBe("ACK");
  });

  it("never challenges CANCEL", async () => {
    const { verdict, sent } = await ask(
      new Authorize({ realm: "example.com", credentials }),
      make("CANCEL", "sip:bob@example.com"),
    );
    expect(verdict).toBeUndefined();
    expect((sent[0] as Response).status).toBe(481);
  });

  it("passes responses on", async () => {
    const { verdict } = await ask(
      new Authorize({ realm: "example.com", credentials }),
      invite().createResponse(200),
    );
    expect(verdict).toBeUndefined();
  });

  it("passes what came with a signed Route, without an identity and without credentials of ours", async () => {
    const seen: Request[] = [];
    const server = await TestServer.start([
      (packet) => packet.set(dialogRoute, { side: "a", flow: undefined }),
      new Authorize({ realm: "example.com", credentials }),
      (packet) => {
        seen.push(packet as Request);
        return "drop";
      },
    ]);
    await server.ask(
      make("BYE", "sip:bob@192.0.2.7", {
        "Proxy-Authorization":
          'Digest username="alice", realm="example.com", nonce="n", uri="u", response="r"',
      }),
    );
    expect(seen[0]?.headers.has("Proxy-Authorization")).toBe(false);
    expect(seen[0]?.get(identity)).toBeUndefined();
  });
});

describe("right credentials", () => {
  it("let a REGISTER through with an identity, and are taken out", async () => {
    const site = await Site.open();
    expect((await site.call(register())).status).toBe(200);
    const { passed } = site;
    expect(passed?.get(identity)).toEqual({
      user: "alice",
      realm: "example.com",
      addressOfRecord: "sip:alice@example.com",
      scheme: "digest MD5",
      at: site.server.clock.wall(),
    } satisfies Identity);
    expect(passed?.headers.has("Authorization")).toBe(false);
  });

  it("let an INVITE through by Proxy-Authorization", async () => {
    const site = await Site.open();
    const request = await site.answered(invite());
    expect(request.headers.has("Proxy-Authorization")).toBe(true);
    expect((await site.send(request)).status).toBe(200);
    expect(site.passed?.headers.has("Proxy-Authorization")).toBe(false);
  });

  it.each(["MD5", "SHA-256", "SHA-512-256"] as const)("of %s", async (algorithm) => {
    const site = await Site.open({ algorithms: [algorithm] });
    expect((await site.call(register())).status).toBe(200);
    expect(site.passed?.get(identity)?.scheme).toBe(`digest ${algorithm}`);
  });

  it("of the weaker algorithm that was offered", async () => {
    const site = await Site.open({ algorithms: ["SHA-256", "MD5"] });
    const challenge = await site.send(register());
    challenge.headers.set(
      "WWW-Authenticate",
      challenge.headers.getAll("WWW-Authenticate")[1] ?? "",
    );
    expect((await site.send(next(register(), challenge, alice))).status).toBe(200);
    expect(site.passed?.get(identity)?.scheme).toBe("digest MD5");
  });

  it("of every algorithm at once count in the one that is preferred", async () => {
    for (const wrong of [undefined, "MD5", "SHA-256"]) {
      const site = await Site.open({ algorithms: ["SHA-256", "MD5"] });
      const challenge = await site.send(register());
      const lines = challenge.headers.getAll("WWW-Authenticate").map((line) => {
        const one = challenge.clone();
        one.headers.set("WWW-Authenticate", line);
        const password = wrong !== undefined && line.includes(wrong) ? "wrong" : "secret";
        return next(register(), one, ["alice", password]).headers.get("Authorization") ?? "";
      });
      const request = renew(register());
      request.headers.set("Authorization", lines.reverse());
      expect((await site.send(request)).status).toBe(wrong === "SHA-256" ? 401 : 200);
      if (wrong !== "SHA-256") expect(site.passed?.get(identity)?.scheme).toBe("digest SHA-256");
    }
  });

  it("of an algorithm that wasn't offered are refused", async () => {
    const secrets = { secret: "the same" };
    const both = await Site.open({ algorithms: ["SHA-256", "MD5"], ...secrets });
    const one = await Site.open({ algorithms: ["MD5"], ...secrets });
    const request = await both.answered(register());
    expect(request.headers.get("Authorization")).toContain("SHA-256");
    expect((await one.send(request)).status).toBe(401);
  });

  it("stay where they are when they are for another realm", async () => {
    const site = await Site.open();
    const other =
      'Digest username="alice", realm="elsewhere.test", nonce="n", uri="u", response="r"';
    const request = await site.answered(register());
    request.headers.append("Authorization", other);
    request.headers.append("Proxy-Authorization", other);
    expect((await site.send(request)).status).toBe(200);
    const { passed } = site;
    expect(passed?.headers.getAll("Authorization")).toEqual([other]);
    expect(passed?.headers.getAll("Proxy-Authorization")).toEqual([other]);
  });

  it("that only another realm has are challenged", async () => {
    const site = await Site.open();
    const response = await site.send(
      register({
        Authorization:
          'Digest username="alice", realm="EXAMPLE.com", nonce="n", uri="u", response="r"',
      }),
    );
    expect(response.status).toBe(401);
  });

  it.each([
    "NoOneKnowsThisScheme opaque-data=here",
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    "Bearer x",
  ])("of another scheme are passed over: %s", async (other) => {
    const site = await Site.open();
    expect((await site.send(register({ Authorization: other }))).status).toBe(401);
    const request = await site.answered(register());
    request.headers.append("Authorization", other);
    expect((await site.send(request)).status).toBe(200);
  });

  it("are taken as their user wrote them: upper-case hex, quoted qop and nc", async () => {
    const site = await Site.open();
    const request = await site.answered(register());
    const value = request.headers.get("Authorization") ?? "";
    request.headers.set(
      "Authorization",
      value
        .replace(/response="([^"]*)"/, (text) => text.toUpperCase().replace("RESPONSE", "response"))
        .replace("qop=auth", 'qop="auth"')
        .replace(/nc=(\d+)/, 'nc="$1"'),
    );
    expect((await site.send(request)).status).toBe(200);
  });

  it.each([
    ["brackets around it, as one client writes it", "<sip:example.com>"],
    ["this server's address", "sip:192.0.2.1:5060"],
    ["this server's domain", "sip:EXAMPLE.com"],
  ])("have a uri with %s", async (_name, uri) => {
    const site = await Site.open();
    expect((await site.send(await withUri(site, register(), uri))).status).toBe(200);
    if (!uri.startsWith("<")) {
      expect((await site.send(await withUri(site, invite(), uri))).status).toBe(200);
    }
  });

  it("have a uri that equals the request-URI by the rules of URIs", async () => {
    const site = await Site.open();
    const request = make("INVITE", "sip:bob@Elsewhere.test;transport=udp", {
      To: "<sip:bob@elsewhere.test>",
    });
    const uri = "sip:bob@elsewhere.TEST;Transport=UDP";
    expect((await site.send(await withUri(site, request, uri))).status).toBe(200);
  });

  it.each([
    "sip:bob@elsewhere.test",
    "sip:carol@example.com",
    "sip:elsewhere.test",
    "sip:",
    "nonsense",
    "<>",
    "",
  ])("are refused with a uri that is neither the request's nor ours: %j", async (uri) => {
    const site = await Site.open();
    const response = await site.send(await withUri(site, invite(), uri));
    expect(response.status).toBe(400);
    expect(response.reason).toContain("uri");
    expect(site.passed).toBeUndefined();
  });
});

/** The same request with a right digest over another uri than its own. */
async function withUri(site: Site, request: Request, uri: string): Promise<Request> {
  const challenge = await site.send(request);
  const nonce = param(challenge, "nonce") ?? "";
  const input = { algorithm: "MD5", nonce, qop: "auth", nc: "00000001", cnonce: "c" } as const;
  const response = digestResponse(
    ha1Of("alice", "example.com", "secret"),
    ha2Of(request.method, uri, "MD5"),
    input,
  );
  const copy = renew(request);
  copy.headers.set(
    challenge.status === 401 ? "Authorization" : "Proxy-Authorization",
    `Digest username="alice",realm="example.com",nonce="${nonce}",uri="${uri}",response="${response}",cnonce="c",qop=auth,nc=00000001`,
  );
  return copy;
}

describe("wrong credentials", () => {
  it("get a new challenge without stale, again and again", async () => {
    const site = await Site.open();
    let challenge = await site.send(register());
    const nonces = new Set([param(challenge, "nonce")]);
    for (let i = 0; i < 3; i++) {
      challenge = await site.send(next(register(), challenge, ["alice", "wrong"]));
      expect(challenge.status).toBe(401);
      expect(param(challenge, "stale")).toBeUndefined();
      nonces.add(param(challenge, "nonce"));
    }
    expect(nonces.size).toBe(4);
    expect(site.passed).toBeUndefined();
  });

  it("don't use up the nonce: the right ones pass with it afterwards", async () => {
    const site = await Site.open();
    const right = await site.answered(register());
    expect((await site.send(altered(right, /response="..../, 'response="0000'))).status).toBe(401);
    expect((await site.send(renew(right))).status).toBe(200);
  });

  it("are answered byte for byte alike, whether the user exists or not", async () => {
    const answers: string[] = [];
    for (const user of ["alice", "nobody", "constructor", "__proto__", "toString", "", "ālice"]) {
      const site = await Site.open({}, { random: fixed(), node: "n", secret: "s" });
      const first = register({
        "Call-ID": "c",
        Via: "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKx",
      });
      const challenge = await site.send(first);
      const second = first.clone();
      authorize(second, challenge, [user, "wrong"]);
      second.headers.set("via", "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKy");
      answers.push((await site.send(second)).toWire());
      expect(site.passed).toBeUndefined();
    }
    expect(answers[0]).toContain("401 Unauthorized");
    expect(new Set(answers).size).toBe(1);
  });

  it.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
    "nobody is called %s, unless he is",
    async (user) => {
      const site = await Site.open();
      expect((await site.call(register(), [user, "secret"])).status).toBe(401);
      const named = await Site.open({
        credentials: JSON.parse(`{ ${JSON.stringify(user)}: "secret" }`),
        filter: { "*": [] },
      });
      const request = register({ To: `<sip:${user}@example.com>` });
      expect((await named.call(request, [user, "secret"])).status).toBe(200);
    },
  );

  it.each([
    ["another method", (request: Request) => Object.assign(request, { method: "OPTIONS" }), 401],
    ["another nonce", (request: Request) => altered(request, /nonce="(.)/, 'nonce="!'), 401],
    ["another user", (request: Request) => altered(request, '"alice"', '"bob"'), 401],
    ["another cnonce", (request: Request) => altered(request, /cnonce="./, 'cnonce="!'), 401],
    ["another count", (request: Request) => altered(request, "nc=00000001", "nc=00000002"), 401],
    ["a short response", (request: Request) => altered(request, /response="../, 'response="'), 401],
    ["no response", (request: Request) => altered(request, /response="[^"]*"/, 'response=""'), 401],
    ["qop=auth-int", (request: Request) => altered(request, "qop=auth", "qop=auth-int"), 401],
    ["no algorithm", (request: Request) => altered(request, ", algorithm=MD5", ""), 200],
    [
      "algorithm FOO",
      (request: Request) => altered(request, "algorithm=MD5", "algorithm=FOO"),
      401,
    ],
    [
      "MD5-sess",
      (request: Request) => altered(request, "algorithm=MD5", "algorithm=MD5-sess"),
      401,
    ],
  ] as const)("%s", async (_name, alter, status) => {
    const site = await Site.open();
    const request = alter(await site.answered(register()));
    if (request.method === "OPTIONS") request.headers.set("cseq", "2 OPTIONS");
    expect((await site.send(request)).status).toBe(status);
  });

  it.each([
    ["no username", /username="[^"]*", /],
    ["no nonce", / nonce="[^"]*",/],
    ["no uri", / uri="[^"]*",/],
    ["no response", / response="[^"]*",/],
    ["no nc", / nc=\d*,/],
    ["no cnonce", /, cnonce="[^"]*"/],
  ])("are malformed: %s", async (name, without) => {
    const site = await Site.open();
    const response = await site.send(altered(await site.answered(register()), without, ""));
    expect(response.status).toBe(400);
    expect(response.reason).toBe(`Malformed Authorization: ${name}`);
  });

  it.each(["0", "1", "0000000g", "000000001", "00000000", "-0000001", "0x000001", "٠٠٠٠٠٠٠١"])(
    "are malformed: nc=%s",
    async (nc) => {
      const site = await Site.open();
      const request = altered(await site.answered(register()), "nc=00000001", `nc="${nc}"`);
      expect((await site.send(request)).status).toBe(400);
    },
  );

  it.each([
    'Digest username="alice", realm="example.com',
    'Digest realm="example.com", realm="example.com"',
    `Digest realm="example.com"${", a=b".repeat(2000)}`,
    `Digest ${",".repeat(5000)}`,
    'Digest realm="example.com", username="alice"',
  ])("are malformed: %.50s", async (value) => {
    const site = await Site.open();
    const response = await site.send(register({ Authorization: value }));
    expect(response.status).toBe(400);
    expect(site.server.errors).toEqual([]);
  });

  it("of any text are refused, and nothing breaks", async () => {
    const site = await Site.open();
    const answer = (await site.answered(register())).headers.get("Authorization") ?? "";
    // Nothing in it may be left out.
    const right = answer.replace(", algorithm=MD5", "");
    const token = fc.constantFrom(
      ...'Digest realm=,"\\ nonce username:%;ä\t0'.split(""),
      "Digest ",
    );
    const hostile = fc.oneof(
      fc.array(token).map((parts) => `Digest ${parts.join("")}`),
      fc.string().map((text) => `Digest realm="example.com", ${text}`),
      // The right one with a part cut out.
      fc
        .tuple(fc.nat(right.length), fc.integer({ min: 1, max: 20 }))
        .map(([at, length]) => right.slice(0, at) + right.slice(at + length)),
      fc
        .tuple(fc.constantFrom("uri", "nonce", "response", "username", "nc", "cnonce"), fc.string())
        .map(([name, value]) =>
          right.replace(new RegExp(` ${name}="?[^",]*"?`), () => ` ${name}="${value}"`),
        ),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const value = text.replace(/[\r\n\0]/g, "").trim();
        fc.pre(value !== "" && essence(value) !== essence(right));
        const response = await site.send(register({ Authorization: value }));
        expect([400, 401]).toContain(response.status);
      }),
      { numRuns: 500 },
    );
    expect(site.server.errors).toEqual([]);
    expect(site.passed).toBeUndefined();
  });

  it("are malformed when there are two for one algorithm", async () => {
    const site = await Site.open();
    const request = await site.answered(register());
    request.headers.append("Authorization", request.headers.get("Authorization") ?? "");
    expect((await site.send(request)).status).toBe(400);
  });

  it.each([
    ["username", 2000],
    ["cnonce", 2000],
    ["nonce", 2000],
    ["realm", 2000],
  ])("with a long %s are refused", async (name, length) => {
    const site = await Site.open();
    const request = await site.answered(register());
    const long = altered(request, new RegExp(`${name}="`), `${name}="${"x".repeat(length)}`);
    expect((await site.send(long)).status).toBe(401);
  });
});

/** Credentials without what stands between parameters. */
function essence(credentials: string): string {
  return credentials.replace(/[\s,]/g, "");
}

/** The same chance for every server. */
function fixed(): Random {
  let count = 0;
  return {
    bytes: (size) => Uint8Array.from({ length: size }, () => count++ & 0xff),
    token: () => `token${count++}`,
  };
}

describe("qop", () => {
  const withoutQop = async (site: Site): Promise<Request> => {
    const challenge = await site.send(register());
    const value = challenge.headers.get("WWW-Authenticate") ?? "";
    challenge.headers.set("WWW-Authenticate", value.replace(', qop="auth"', ""));
    const request = next(register(), challenge, alice);
    expect(request.headers.get("Authorization")).not.toContain("qop");
    return request;
  };

  it("is required by default: it was offered", async () => {
    const site = await Site.open();
    const response = await site.send(await withoutQop(site));
    expect(response.status).toBe(401);
    expect(param(response, "stale")).toBeUndefined();
  });

  it("may be left out when asked for; then a nonce can be used once", async () => {
    const site = await Site.open({ requireQop: false });
    const request = await withoutQop(site);
    expect((await site.send(request)).status).toBe(200);
    const again = await site.send(renew(request));
    expect(again.status).toBe(401);
    expect(param(again, "stale")).toBe("true");
  });
});

describe("stale nonces and replays, RFC 7616 §3.3, §5.5", () => {
  it("calls an expired nonce stale when the digest is right", async () => {
    const site = await Site.open({ nonceLifetime: 60 });
    const request = await site.answered(register());
    await site.server.clock.advance(60_001);
    const response = await site.send(request);
    expect(response.status).toBe(401);
    expect(param(response, "stale")).toBe("true");
    // The client answers without asking its user.
    expect((await site.send(next(request, response, alice))).status).toBe(200);
  });

  it("takes a nonce to the end of its lifetime", async () => {
    const site = await Site.open({ nonceLifetime: 60 });
    const request = await site.answered(register());
    await site.server.clock.advance(60_000);
    expect((await site.send(request)).status).toBe(200);
  });

  it("calls an expired nonce stale whatever the digest, and looks no password up", async () => {
    let asked = 0;
    const site = await Site.open({
      nonceLifetime: 60,
      credentials: () => {
        asked++;
        return "secret";
      },
    });
    const right = await site.answered(register());
    const wrong = altered(right, /response="..../, 'response="0000');
    await site.server.clock.advance(60_001);
    expect(param(await site.send(wrong), "stale")).toBe("true");
    expect(param(await site.send(right), "stale")).toBe("true");
    expect(asked).toBe(0);
    expect(site.server.dispatcher.counters()).toMatchObject({ staleNonces: 2 });
  });

  it("says nothing of staleness to a wrong digest with a used nonce", async () => {
    const site = await Site.open();
    const request = await site.answered(register());
    expect((await site.send(request)).status).toBe(200);
    const wrong = renew(altered(request, /response="..../, 'response="0000'));
    expect(param(await site.send(wrong), "stale")).toBeUndefined();
  });

  it("calls a nonce that it didn't make wrong, not stale", async () => {
    const site = await Site.open();
    const challenge = await site.send(register());
    const forged = (param(challenge, "nonce") ?? "").replace(/^./, (first) =>
      first === "A" ? "B" : "A",
    );
    const value = challenge.headers.get("WWW-Authenticate") ?? "";
    for (const nonce of [forged, "dcd98b7102dd2f0e8b11d0f600bfb0c093", "x"]) {
      challenge.headers.set("WWW-Authenticate", value.replace(/nonce="[^"]*"/, `nonce="${nonce}"`));
      const response = await site.send(next(register(), challenge, alice));
      expect(response.status).toBe(401);
      expect(param(response, "stale")).toBeUndefined();
    }
  });

  it("calls a nonce of an earlier life stale when it kept its secret, else wrong", async () => {
    const kept = { secret: "kept" };
    const request = await (await Site.open(kept)).answered(register());
    const response = await (await Site.open(kept)).send(request);
    expect(param(response, "stale")).toBe("true");
    expect(param(await (await Site.open()).send(request), "stale")).toBeUndefined();
  });

  it("lets a client count up on one nonce", async () => {
    const site = await Site.open();
    const challenge = await site.send(register());
    let request = next(register(), challenge, alice);
    for (let count = 1; count <= 5; count++) {
      expect(request.headers.get("Authorization")).toContain(`nc=0000000${count}`);
      expect((await site.send(request)).status).toBe(200);
      // As a client does that keeps the nonce.
      const again = challenge.clone();
      const value = again.headers.get("WWW-Authenticate") ?? "";
      again.headers.set("WWW-Authenticate", `${value}, stale=true`);
      request = renew(request);
      request.headers.set("cseq", `${10 * count} REGISTER`);
      expect(authorize(request, again, alice)).toBe(true);
    }
    expect(site.authorize.rememberedNonces).toBe(1);
  });

  it("refuses a replay with another Contact, as stale", async () => {
    const site = await Site.open();
    const request = await site.answered(register());
    expect((await site.send(request)).status).toBe(200);
    const replay = renew(request);
    replay.headers.set("contact", "<sip:mallory@203.0.113.66>");
    const response = await site.send(replay, 6666);
    expect(response.status).toBe(401);
    expect(param(response, "stale")).toBe("true");
  });

  it.each([
    ["another Call-ID", (request: Request) => request.headers.set("call-id", "another")],
    ["another body", (request: Request) => Object.assign(request, { body: Buffer.from("x") })],
    [
      "another branch",
      (request: Request) => request.headers.set("via", "SIP/2.0/UDP h;branch=z9hG4bKother"),
    ],
    ["one header more", (request: Request) => request.headers.append("x-more", "1")],
  ])("refuses a replay with %s", async (_name, change) => {
    const site = await Site.open();
    const request = await site.answered(register());
    expect((await site.send(request)).status).toBe(200);
    const replay = request.clone();
    change(replay);
    expect((await passAgain(site, replay)).status).toBe(401);
  });

  it("lets a retransmission through: the same bytes from the same source", async () => {
    const site = await Site.open();
    const request = await site.answered(register());
    expect((await site.send(request)).status).toBe(200);
    expect((await passAgain(site, request)).status).toBe(200);
    expect((await passAgain(site, request)).status).toBe(200);
  });

  it("lets nobody else send the same bytes", async () => {
    const site = await Site.open();
    const request = await site.answered(register());
    expect((await site.send(request)).status).toBe(200);
    expect((await passAgain(site, request, 6666)).status).toBe(401);
  });

  /** Lets a packet reach the handler again: the transaction of the first is long over. */
  async function passAgain(site: Site, request: Request, port?: number): Promise<Response> {
    await site.server.clock.advance(40_000);
    return site.send(request, port);
  }

  it("forgets the oldest nonce when there are too many, and what was made before it is stale", async () => {
    const site = await Site.open({ maxNonces: 2 });
    const early = await site.answered(register());
    await site.server.clock.advance(1);
    const first = await site.answered(register());
    expect((await site.send(first)).status).toBe(200);
    for (let i = 0; i < 2; i++) {
      await site.server.clock.advance(1);
      expect((await site.call(register())).status).toBe(200);
    }
    expect(site.authorize.rememberedNonces).toBe(2);
    expect(site.server.dispatcher.counters()).toMatchObject({ forgottenNonces: 1 });
    expect(param(await site.send(early), "stale")).toBe("true");
    expect(param(await site.send(renew(first)), "stale")).toBe("true");
    await site.server.clock.advance(1);
    expect((await site.call(register())).status).toBe(200);
  });

  it("remembers nothing once all nonces have expired", async () => {
    const site = await Site.open({ nonceLifetime: 60 });
    for (let i = 0; i < 5; i++) await site.call(register());
    expect(site.authorize.rememberedNonces).toBe(5);
    await site.server.clock.advance(60_001);
    expect(site.authorize.rememberedNonces).toBe(0);
  });

  it("still knows its nonces when it is started again, by another server", async () => {
    const handler = new Authorize({ realm: "example.com", credentials });
    const { sent } = await ask(handler, register());
    const request = next(register(), sent[0] as Response, alice);
    expect((await ask(handler, request)).verdict).toBeUndefined();
    const replay = await ask(handler, renew(request));
    expect(param(replay.sent[0] as Response, "stale")).toBe("true");
  });
});

describe("what a proved user may do", () => {
  it.each([
    "<sip:bob@example.com>",
    "<sip:alice@elsewhere.test>",
    "<sip:Alice@example.com>",
    "<sip:alice%40example.com@example.com>",
    "<sip:example.com>",
    "<tel:+15550100>",
  ])("not register %s", async (to) => {
    const site = await Site.open();
    expect((await site.call(register({ To: to }))).status).toBe(403);
    expect(site.passed).toBeUndefined();
  });

  it.each([
    "<sip:alice@example.com>",
    "<sips:alice@EXAMPLE.com:5061;transport=tcp>",
    "<sip:%61lice@example.com>",
    "<sip:alice@192.0.2.1>",
  ])("register %s", async (to) => {
    const site = await Site.open();
    expect((await site.call(register({ To: to }))).status).toBe(200);
  });

  it("register what a table says besides", async () => {
    const site = await Site.open({
      mayRegister: {
        alice: ["sip:sales@example.com", "sip:support@example.com"],
        bob: "sip:x@example.com",
      },
    });
    for (const [to, status] of [
      ["<sip:support@EXAMPLE.com>", 200],
      ["<sip:alice@example.com>", 200],
      ["<sip:x@example.com>", 403],
      ["<sip:bob@example.com>", 403],
    ] as const) {
      expect((await site.call(register({ To: to }))).status).toBe(status);
    }
  });

  it.each([
    ["at once", (user: string) => `sip:${user}-phone@example.com`],
    ["later", async (user: string) => [`sip:${user}-phone@example.com`]],
  ])("register what a function says %s", async (_name, mayRegister) => {
    const site = await Site.open({ mayRegister });
    expect((await site.call(register({ To: "<sip:alice-phone@example.com>" }))).status).toBe(200);
    expect((await site.call(register({ To: "<sip:bob-phone@example.com>" }))).status).toBe(403);
  });

  it("nothing when the table is a trap", async () => {
    const site = await Site.open({
      mayRegister: {},
      credentials: JSON.parse('{"__proto__":"secret"}'),
    });
    const response = await site.call(register(), ["__proto__", "secret"]);
    expect(response.status).toBe(403);
  });

  it.each([
    ["<sip:alice@example.com>;tag=1", 200],
    ["<sip:alice@example.com:5070>;tag=1", 200],
    ["<sip:alice@192.0.2.1>;tag=1", 200],
    ["<sip:bob@example.com>;tag=1", 403],
    ["<sip:alice@elsewhere.test>;tag=1", 403],
    ["<sip:alice@sub.example.com>;tag=1", 403],
    ["<sip:alice@example.com.evil.test>;tag=1", 403],
    ["<sip:anonymous@anonymous.invalid>;tag=1", 403],
    ["<tel:+15550100>;tag=1", 403],
  ])("call as %s: %i", async (from, status) => {
    const site = await Site.open();
    expect((await site.call(invite({ From: from }))).status).toBe(status);
    expect(site.passed === undefined).toBe(status === 403);
  });

  it("call at a domain of its realm alone", async () => {
    const how = { domains: ["example.com", "example.org"] };
    const from = { From: "<sip:alice@example.org>;tag=1" };
    const to = { To: "<sip:alice@example.org>" };
    const own = await Site.open({}, how);
    expect((await own.call(invite(from))).status).toBe(403);
    expect((await own.call(register(to))).status).toBe(403);
    const told = await Site.open({ domains: ["example.com", "Example.ORG"] }, how);
    expect((await told.call(invite(from))).status).toBe(200);
    expect((await told.call(register(to))).status).toBe(200);
  });

  it("speak for his name at every domain below one with a star", async () => {
    const how = { domains: ["example.com", "*.example.org"] };
    const site = await Site.open({ domains: ["*.example.org"] }, how);
    expect((await site.call(register({ To: "<sip:alice@a.example.org>" }))).status).toBe(200);
    expect((await site.call(register({ To: "<sip:alice@example.com>" }))).status).toBe(403);
    await expect(Site.open({ domains: ["sip:example.com"] })).rejects.toThrow("not a domain");
  });

  it("speak for his name at every domain when the realm is none of them", async () => {
    const how = { domains: ["example.com", "example.org"] };
    const site = await Site.open({ realm: "our phones" }, how);
    for (const domain of how.domains) {
      expect((await site.call(register({ To: `<sip:alice@${domain}>` }))).status).toBe(200);
    }
    expect(site.passed?.get(identity)?.addressOfRecord).toBe("sip:alice@example.com");
    expect((await site.call(register({ To: "<sip:alice@elsewhere.test>" }))).status).toBe(403);
  });

  it("only register elsewhere under his own name", async () => {
    const site = await Site.open();
    const foreign = (from: string): Request =>
      make("REGISTER", "sip:elsewhere.test", { From: `<${from}>;tag=1`, To: `<${from}>` });
    expect((await site.call(foreign("sip:alice@example.com"))).status).toBe(200);
    expect((await site.call(foreign("sip:bob@elsewhere.test"))).status).toBe(403);
  });
});

describe("filters", () => {
  const odd = (): Request =>
    invite({ From: "<sip:carol@elsewhere.test>;tag=1", To: "<sip:carol@elsewhere.test>" });

  it.each<readonly [string, Filter | readonly Filter[], number]>([
    ["nothing", [], 200],
    ["FromIsRealm", "FromIsRealm", 403],
    ["FromIsAuthUser", "FromIsAuthUser", 403],
    ["ToIsFrom", "ToIsFrom", 200],
    ["a list means all", ["ToIsFrom", "FromIsRealm"], 403],
    ["a function that says yes", () => true, 200],
    ["a function that says no", () => false, 403],
    ["a function that says yes later", async () => true, 200],
    ["a function that says no later", async () => false, 403],
    ["all of several functions", [async () => true, () => true, "ToIsFrom" as const], 200],
    ["not all of several functions", [async () => true, () => false], 403],
    ["anything but true", (() => "yes") as never, 403],
    ["anything but true, later", (async () => 1) as never, 403],
  ])("%s", async (_name, filter, status) => {
    const site = await Site.open({ filter: { INVITE: filter } });
    expect((await site.call(odd())).status).toBe(status);
  });

  it("FromIsAuthUser looks at the user alone, without escapes", async () => {
    const site = await Site.open({ filter: { INVITE: "FromIsAuthUser" } });
    expect((await site.call(invite({ From: "<sip:%61lice@elsewhere.test>;tag=1" }))).status).toBe(
      200,
    );
    expect((await site.call(invite({ From: "<sip:ALICE@elsewhere.test>;tag=1" }))).status).toBe(
      403,
    );
    expect((await site.call(invite({ From: "<sip:elsewhere.test>;tag=1" }))).status).toBe(403);
  });

  it("FromIsRealm looks at the domain alone", async () => {
    const site = await Site.open({ filter: { INVITE: "FromIsRealm" } });
    expect((await site.call(invite({ From: "<sip:bob@example.com>;tag=1" }))).status).toBe(200);
  });

  it("know request, identity and server", async () => {
    const seen: unknown[] = [];
    const site = await Site.open({
      filter: {
        INVITE: (request, identity, server) => {
          seen.push(request.method, identity.user, server.isLocal("sip:example.com"));
          return true;
        },
      },
    });
    await site.call(invite());
    expect(seen).toEqual(["INVITE", "alice", true]);
  });

  it("of one method leave the others' defaults alone; a star is for all that aren't named", async () => {
    const named = await Site.open({ filter: { INVITE: [] } });
    const message = (): Request =>
      make("MESSAGE", "sip:bob@example.com", { From: "<sip:carol@example.com>;tag=1" });
    expect((await named.call(message())).status).toBe(403);
    const starred = await Site.open({ filter: { INVITE: () => false, "*": [] } });
    expect((await starred.call(message())).status).toBe(200);
    expect((await starred.call(invite())).status).toBe(403);
  });

  it("hold for REGISTER too, besides the rule of one's own address", async () => {
    const site = await Site.open({ filter: { REGISTER: "FromIsAuthUser" } });
    expect((await site.call(register())).status).toBe(200);
    expect((await site.call(register({ From: "<sip:bob@example.com>;tag=1" }))).status).toBe(403);
    expect((await site.call(register({ To: "<sip:bob@example.com>" }))).status).toBe(403);
    const later = await Site.open({ filter: { REGISTER: async () => true } });
    expect((await later.call(register())).status).toBe(200);
    expect((await later.call(register({ To: "<sip:bob@example.com>" }))).status).toBe(403);
  });

  it("that throw let nobody in", async () => {
    const site = await Site.open({
      filter: {
        INVITE: () => {
          throw new Error("broken");
        },
      },
    });
    expect((await site.call(invite())).status).toBe(500);
    expect(site.passed).toBeUndefined();
  });
});

describe("strangers", () => {
  const stranger = { From: "<sip:carol@elsewhere.test>;tag=1" };

  it("may call our users when that is allowed, without an identity", async () => {
    const site = await Site.open({ allowCallsToUs: true });
    expect((await site.send(invite(stranger))).status).toBe(200);
    expect(site.passed?.get(identity)).toBeUndefined();
  });

  it.each([
    ["call others", make("INVITE", "sip:dave@elsewhere.test", stranger)],
    ["call as one of ours", invite({ From: "<sip:alice@example.com>;tag=1" })],
    ["call as this server", invite({ From: "<sip:192.0.2.1>;tag=1" })],
    ["register", make("REGISTER", "sip:example.com", stranger)],
    ["register at a user", make("REGISTER", "sip:alice@example.com", stranger)],
    ["ask the server itself", make("OPTIONS", "sip:example.com", stranger)],
    ["choose the way", invite({ ...stranger, Route: "<sip:relay.test;lr>" })],
  ])("may never %s", async (_name, request) => {
    const site = await Site.open({ allowCallsToUs: true });
    expect([401, 407]).toContain((await site.send(request)).status);
    expect(site.passed).toBeUndefined();
  });

  it("who claim to be users must be: wrong credentials are challenged", async () => {
    const site = await Site.open({ allowCallsToUs: true });
    const challenge = await site.send(invite());
    const request = next(invite(stranger), challenge, ["alice", "wrong"]);
    expect((await site.send(request)).status).toBe(407);
  });

  it("may ping the server when that is allowed, and no more", async () => {
    const site = await Site.open({ allowPings: true });
    expect((await site.send(make("OPTIONS", "sip:192.0.2.1:5060"))).status).toBe(200);
    expect((await site.send(make("OPTIONS", "sip:bob@example.com"))).status).toBe(407);
    expect((await site.send(make("OPTIONS", "sip:bob@elsewhere.test"))).status).toBe(407);
    expect((await site.send(make("MESSAGE", "sip:192.0.2.1:5060"))).status).toBe(401);
  });
});

describe("credentials from a function", () => {
  it.each([
    ["a password at once", () => "secret"],
    ["a password later", async () => "secret"],
    ["HA1s", () => ({ ha1: { MD5: ha1Of("alice", "example.com", "secret").toUpperCase() } })],
    ["HA1s later", async () => ({ ha1: { MD5: ha1Of("alice", "example.com", "secret") } })],
  ])("%s", async (_name, credentials) => {
    const site = await Site.open({ credentials });
    expect((await site.call(register())).status).toBe(200);
    expect((await site.call(register(), ["alice", "wrong"])).status).toBe(401);
  });

  it("is asked for user and realm, also for a user who doesn't exist", async () => {
    const asked: unknown[] = [];
    const site = await Site.open({
      credentials: (user, realm) => {
        asked.push([user, realm]);
        return undefined;
      },
    });
    expect((await site.call(register(), ["zoë", "secret"])).status).toBe(401);
    expect(asked).toEqual([["zoë", "example.com"]]);
  });

  it("isn't asked for a nonce that we didn't make", async () => {
    let asked = 0;
    const site = await Site.open({
      credentials: () => {
        asked++;
        return "secret";
      },
    });
    const request = altered(await site.answered(register()), / nonce="./, ' nonce="!');
    expect((await site.send(request)).status).toBe(401);
    expect(asked).toBe(0);
  });

  it.each([
    ["null", () => null as never],
    ["nothing later", async () => undefined],
    ["HA1s of another algorithm", () => ({ ha1: { "SHA-256": "0".repeat(64) } })],
  ])("%s is nobody", async (_name, credentials) => {
    const site = await Site.open({ credentials });
    expect((await site.call(register())).status).toBe(401);
    expect(site.server.errors).toEqual([]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("database down");
      },
    ],
    ["rejects", () => Promise.reject(new Error("database down"))],
    ["gives an empty password", () => ""],
    ["gives an HA1 that is none", () => ({ ha1: { MD5: "secret" } })],
    ["gives no HA1", () => ({ ha1: {} })],
    ["gives a number later", async () => 7 as never],
  ])("that %s: 500, told to the operator, nobody is let in", async (_name, credentials) => {
    const site = await Site.open({ credentials });
    const request = await site.answered(register());
    const response = await site.send(request);
    expect(response.status).toBe(500);
    expect(site.passed).toBeUndefined();
    expect(site.server.errors).toHaveLength(1);
    expect(response.toWire()).not.toContain("database");
    expect(JSON.stringify(site.server.errors.map(String))).not.toContain("secret");
  });

  it("may choose the status by a Reject", async () => {
    const site = await Site.open({
      credentials: () => {
        throw new Reject(503);
      },
    });
    expect((await site.call(register())).status).toBe(503);
    expect(site.server.errors).toEqual([]);
  });
});

describe("options", () => {
  it.each([
    ["no realm", { realm: "" }],
    ["a quote in the realm", { realm: 'a"b' }],
    ["CR LF in the realm", { realm: "a\r\nb" }],
    ["a backslash in opaque", { opaque: "a\\" }],
    ["no algorithm", { algorithms: [] }],
    ["an algorithm twice", { algorithms: ["MD5", "MD5"] }],
    ["an unknown algorithm", { algorithms: ["MD5-foo"] }],
    [
      "an algorithm that no htdigest file holds",
      { algorithms: ["SHA-512-256"], htdigest: "users" },
    ],
    ["no lifetime", { nonceLifetime: 0 }],
    ["half a nonce", { maxNonces: 0.5 }],
    ["an empty secret", { secret: "" }],
    ["an unknown filter", { filter: { INVITE: "FromIsTrusted" } }],
    ["neither credentials nor htdigest", { credentials: undefined }],
    ["an empty password", { credentials: { alice: "" } }],
    ["an HA1 that is none", { credentials: { alice: { ha1: { MD5: "xyz" } } } }],
    ["credentials without any", { credentials: { alice: undefined } }],
  ] as const)("are refused: %s", (_name, options) => {
    const make = (): Authorize =>
      new Authorize({ realm: "example.com", credentials, ...options } as never);
    expect(make).toThrow(SipError);
    expect(make).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
  });

  it("never show a secret in an error", () => {
    for (const wrong of [{ ha1: { MD5: "hunter2" } }, { password: "hunter2" }]) {
      try {
        new Authorize({ realm: "example.com", credentials: { alice: wrong } as never });
        expect.unreachable();
      } catch (error) {
        expect(String(error)).not.toContain("hunter2");
        expect(String(error)).toContain("alice");
      }
    }
  });

  it("must name where credentials come from", () => {
    // @ts-expect-error neither credentials nor htdigest
    expect(() => new Authorize({ realm: "example.com" })).toThrow(SipError);
    // @ts-expect-error no realm
    expect(() => new Authorize({ credentials })).toThrow(SipError);
  });

  it("don't change with the record that they were given", async () => {
    const record: Record<string, string> = { ...credentials };
    const site = await Site.open({ credentials: record });
    record.mallory = "secret";
    expect((await site.call(register(), ["mallory", "secret"])).status).toBe(401);
  });

  it("don't work before the start", () => {
    const handler = new Authorize({ realm: "example.com", credentials });
    expect(() => handler.receive(register())).toThrow(
      expect.objectContaining({ code: "SIP_NOT_STARTED" }),
    );
  });
});

describe("texts beyond ASCII", () => {
  it("are UTF-8 on the wire, in the map and in the hash", async () => {
    const site = await Site.open({
      realm: "Büro",
      credentials: { zoë: "geheim€" },
      filter: { "*": [] },
    });
    const request = register({ To: "<sip:zo%C3%AB@example.com>" });
    expect((await site.call(request, ["zoë", "geheim€"])).status).toBe(200);
    expect(site.passed?.get(identity)?.user).toBe("zoë");
  });
});
