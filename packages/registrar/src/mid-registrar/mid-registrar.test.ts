import {
  type Dispatcher,
  type Method,
  onRequest,
  type Request,
  type Response,
  type ResponseOptions,
} from "@sipkit/core";
import { describeHandler, VirtualNetwork } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { MidRegistrar } from "./mid-registrar.ts";
import type { MidRegistrarOptions } from "./mid-registrar-options.ts";

const UPSTREAM = "sip:192.0.2.9";
const PHONE = "<sip:alice@192.0.2.3>";

describeHandler(
  "MidRegistrar",
  () => new MidRegistrar({ upstream: UPSTREAM }),
  { describe, it },
  { ignores: ["REGISTER sip:example.net SIP/2.0", "MESSAGE sip:bob@example.net SIP/2.0"] },
);

interface Setup {
  readonly mid: Dispatcher;
  /** What came to the upstream. */
  readonly asked: Request[];
  /** Sends a request of alice's phone's to the mid-registrar. */
  send(
    headers?: Readonly<Record<string, string | readonly string[]>>,
    method?: Method,
    uri?: string,
  ): Promise<Response>;
}

/** A mid-registrar before something that answers each REGISTER as it is told. */
async function setUp(
  answer: (request: Request) => readonly [status: number, options?: ResponseOptions],
  options: Partial<MidRegistrarOptions> = {},
): Promise<Setup> {
  const net = new VirtualNetwork();
  const asked: Request[] = [];
  net.node("upstream", (host) =>
    host.serve({
      receiver: onRequest("REGISTER", (request) => {
        asked.push(request);
        return request.createResponse(...answer(request));
      }),
    }),
  );
  const mid = net.node("mid", (host) =>
    host.serve({
      domains: ["example.com"],
      receiver: new MidRegistrar({ upstream: "sip:upstream", ...options }),
    }),
  );
  const phone = net.node("phone", (host) => host.serve());
  await net.start();
  let cseq = 0;
  return {
    mid: mid.app,
    asked,
    send: (headers = {}, method = "REGISTER", uri = "sip:example.com") => {
      cseq += 1;
      const request = phone.newRequest(method, uri, {
        To: "<sip:alice@example.com>",
        "Call-ID": "phone",
        CSeq: `${cseq} ${method}`,
        Contact: PHONE,
        Expires: "60",
        ...headers,
      });
      return net.until(phone.app.request(request, { to: "sip:mid" }).final);
    },
  };
}

const grant = (request: Request): readonly [number, ResponseOptions] => [
  200,
  { headers: { Contact: request.headers.getAll("contact") } },
];

describe("what the upstream gets of a REGISTER", () => {
  it("is what its sender wrote, but for the Contact and what a registrar is to a phone", async () => {
    const { send, asked } = await setUp(grant);
    await send({
      Authorization: 'Digest username="alice", uri="sip:example.com", response="x"',
      Supported: "path, gruu, outbound, eventlist",
      Path: "<sip:edge.example.com;lr>",
      Contact: `${PHONE};q=0.7;audio;+sip.instance="<urn:x>";expires=90`,
      Route: "<sip:mid;lr>",
      "X-Own": "kept",
      "Max-Forwards": "5",
    });
    const [request] = asked;
    expect(request?.uri).toBe("sip:example.com");
    expect(request?.callId).toBe("phone");
    expect(request?.cseq.number).toBe(1);
    const header = (name: string): string | undefined => request?.headers.get(name);
    expect(header("authorization")).toBe(
      'Digest username="alice", uri="sip:example.com", response="x"',
    );
    expect(["supported", "path", "route", "x-own", "max-forwards"].map(header)).toEqual([
      "eventlist",
      undefined,
      undefined,
      "kept",
      "4",
    ]);
    expect(request?.headers.getAll("via")).toHaveLength(2);
    expect(request?.headers.getAll("contact")).toEqual([
      expect.stringMatching(/^<sip:mid\.[\w-]+@192\.0\.2\.2:5060>;q=0\.7;audio;expires=3600$/),
    ]);
  });

  it("is a Path of ours before others', where it is told to", async () => {
    const { send, asked } = await setUp(grant, { insert: "path" });
    await send({ Path: "<sip:edge.example.com;lr>", Supported: "outbound" });
    const [request] = asked;
    expect(request?.headers.getAll("contact")).toEqual([`${PHONE};expires=3600`]);
    expect(request?.headers.get("supported")).toBe("path");
    expect(request?.headers.getAll("path")).toEqual([
      expect.stringMatching(/^<sip:[\w-]+@192\.0\.2\.2:5060;lr;ob>$/),
      "<sip:edge.example.com;lr>",
    ]);
  });

  it("is the removal of ours where everything is to go, and of everything where we have none", async () => {
    const { send, asked } = await setUp(grant);
    await send();
    await send({ Contact: "*", Expires: "0" });
    await send({ Contact: "*", Expires: "0" });
    expect(asked.slice(1).map(({ headers }) => headers.get("contact"))).toEqual([
      expect.stringMatching(/^<sip:mid\..*>;expires=0$/),
      "*",
    ]);
    expect(asked.slice(1).map(({ headers }) => headers.get("expires"))).toEqual(["0", "0"]);
  });

  it("is nothing when it has come too far", async () => {
    const { send, asked } = await setUp(grant);
    expect((await send({ "Max-Forwards": "0" })).status).toBe(483);
    expect(asked).toEqual([]);
  });
});

describe("what a phone gets of the upstream's answer", () => {
  it("is who it is, why not, and what it wants, and no more", async () => {
    const headers = {
      "WWW-Authenticate": ['Digest realm="a", nonce="1"', 'Digest realm="a", nonce="2"'],
      Server: "x",
      "Retry-After": "7",
      Contact: "<sip:mid.secret@192.0.2.2>",
    };
    const { send } = await setUp(() => [401, { reason: "Who Are You", headers }]);
    const response = await send();
    expect([response.status, response.reason]).toEqual([401, "Who Are You"]);
    expect(response.headers.getAll("www-authenticate")).toEqual(headers["WWW-Authenticate"]);
    expect(response.headers.get("retry-after")).toBe("7");
    expect(response.headers.has("server") || response.headers.has("contact")).toBe(false);
    expect(response.headers.getAll("via")).toHaveLength(1);
  });

  it("is where else it is to register", async () => {
    const { send } = await setUp(() => [302, { headers: { Contact: "<sip:192.0.2.8>" } }]);
    const response = await send();
    expect([response.status, response.headers.get("contact")]).toEqual([302, "<sip:192.0.2.8>"]);
  });

  it("is never much longer than what it sent: fewer challenges, or none", async () => {
    const challenge = (length: number): string => `Digest realm="${"x".repeat(length)}", nonce="1"`;
    const few = await setUp(() => [
      401,
      { headers: { "WWW-Authenticate": [challenge(600), challenge(50)] } },
    ]);
    expect((await few.send()).headers.getAll("www-authenticate")).toEqual([challenge(50)]);
    const none = await setUp(() => [401, { headers: { "WWW-Authenticate": challenge(900) } }]);
    expect((await none.send()).status).toBe(400);
    expect(none.mid.counters().challengesTooLong).toBe(1);
  });

  it("is what its digest client goes on with", async () => {
    const info = 'nextnonce="2"';
    const { send } = await setUp((request) => [
      200,
      {
        headers: { Contact: request.headers.getAll("contact"), "Authentication-Info": info },
      },
    ]);
    expect((await send()).headers.get("authentication-info")).toBe(info);
    expect((await send()).headers.has("authentication-info")).toBe(false);
  });
});

describe("what counts as granted", () => {
  const own = (request: Request): string => request.headers.getAll("contact").join();
  it.each<
    [what: string, headers: (request: Request) => ResponseOptions["headers"], granted: string]
  >([
    ["nothing said: what was asked for", () => ({}), "60"],
    ["Expires alone", () => ({ Expires: "40" }), "40"],
    [
      "our Contact without a time, and Expires",
      (request) => ({ Contact: own(request).replace(/;expires=\d+/, ""), Expires: "50" }),
      "50",
    ],
    [
      "our Contact at another host",
      (request) => ({ Contact: own(request).replace(/@[^>]+/, "@192.0.2.77") }),
      "60",
    ],
    [
      "our Contact among others",
      (request) => ({
        Contact: ["<sip:x@192.0.2.1>;expires=9", own(request).replace(/=3600/, "=45")],
      }),
      "45",
    ],
    [
      "more than was asked for",
      (request) => ({ Contact: own(request).replace(/=3600/, "=99999999999999999999") }),
      "60",
    ],
    ["Contacts that can't be read", () => ({ Contact: "<sip:" }), "60"],
  ])("%s", async (_what, headers, granted) => {
    const { send } = await setUp((request) => [200, { headers: headers(request) ?? {} }]);
    const response = await send();
    expect(response.headers.getAll("contact")).toEqual([`${PHONE};expires=${granted}`]);
  });

  it("is nothing where others are listed, and not ours: the next refresh asks again", async () => {
    const { send, asked, mid } = await setUp(() => [
      200,
      { headers: { Contact: "<sip:x@192.0.2.1>;expires=3600" } },
    ]);
    expect((await send()).status).toBe(200);
    expect((await send()).status).toBe(200);
    expect(asked).toHaveLength(2);
    expect(mid.counters().registrationsAbsorbed ?? 0).toBe(0);
  });
});

describe("requests to users", () => {
  it("are another handler's, where it is told so", async () => {
    const { send, asked } = await setUp(grant, { calls: "pass" });
    await send();
    expect((await send({}, "MESSAGE", "sip:alice@example.com")).status).toBe(405);
    expect(asked).toHaveLength(1);
  });

  it("whose name is written like a Contact of ours are for nobody", async () => {
    const { send } = await setUp(grant);
    expect((await send({}, "MESSAGE", "sip:mid.AAAA@example.com")).status).toBe(404);
  });
});

describe("MidRegistrar's options", () => {
  it.each<[Partial<MidRegistrarOptions>, string]>([
    [{ upstream: "tel:+1" }, "upstream must be a SIP URI"],
    [{ outgoingExpires: 300 }, "outgoingExpires must be above"],
    [{ outgoingExpires: 0 }, "outgoingExpires must be a whole number"],
    [{ outgoingJitter: 1 }, "outgoingJitter"],
    [{ margin: -1 }, "margin"],
    [{ maxPending: 0 }, "maxPending"],
    [{ mode: "aor", insert: "path" }, "insert: contact"],
    [{ secret: "" }, "secret"],
  ])("refuse %j", (options, message) => {
    expect(() => new MidRegistrar({ upstream: UPSTREAM, ...options })).toThrow(message);
  });

  it("let a mirror ask for as little as it likes", () => {
    const options = { upstream: UPSTREAM, mode: "mirror", outgoingExpires: 60 } as const;
    expect(() => new MidRegistrar(options)).not.toThrow();
  });
});
