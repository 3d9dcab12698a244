import {
  allow,
  authorization,
  contact,
  contentType,
  date,
  from,
  type Packet,
  ParseError,
  parseSipUri,
  parseUri,
  type Request,
  type Response,
  recordRoute,
  route,
  Request as SipRequest,
  to,
  unescapeUser,
  uriEquals,
  via,
} from "@sipkit/core";
import { describe, expect, it } from "vitest";
import type { Role } from "./roles.ts";
import { type Outcome, TortureServer } from "./torture-server.ts";
import { bytesOf, vectorOf } from "./vectors.ts";

/** What a running server made of a message in one datagram. */
async function outcomeOf(role: Role, name: string): Promise<Outcome> {
  const server = await TortureServer.start(role);
  const outcome = await server.datagram(bytesOf(vectorOf(name)));
  await server.close();
  return outcome;
}

/** The request as the chain saw it. */
async function seen(role: Role, name: string): Promise<Request> {
  const { seen } = await outcomeOf(role, name);
  const [packet] = seen;
  if (packet?.isRequest !== true) throw new Error(`${name} did not get to the chain`);
  return packet;
}

/** What a server makes of a response of the RFC whose topmost Via is its own, port and all. */
async function responseTo(role: Role, name: string): Promise<Outcome> {
  const server = await TortureServer.start(role);
  const text = bytesOf(vectorOf(name)).toString("latin1");
  const ours = text.replace(/(?<=^Via: SIP\/2\.0\/UDP [\d.]+)(?=;)/m, ":5060");
  const outcome = await server.datagram(Buffer.from(ours, "latin1"));
  await server.close();
  return outcome;
}

/** The response as the chain saw it. */
async function seenResponse(role: Role, name: string): Promise<Response> {
  const { seen } = await responseTo(role, name);
  const [packet] = seen;
  if (packet === undefined || packet.isRequest) throw new Error(`no response ${name} was seen`);
  return packet;
}

/** The one request that a proxy sent on. */
async function forwarded(name: string): Promise<Request> {
  const { forwarded } = await outcomeOf("proxy", name);
  expect(forwarded).toHaveLength(1);
  return SipRequest.parse(forwarded[0] ?? "");
}

/** The one answer of a server. */
async function answer(role: Role, name: string): Promise<Response> {
  const { answers } = await outcomeOf(role, name);
  const [packet] = answers;
  if (packet === undefined || packet.isRequest) throw new Error(`${name} was not answered`);
  return packet;
}

/** The Contacts that a registrar gives when it is asked after a REGISTER of the RFC. */
async function bindingsAfter(name: string): Promise<readonly string[]> {
  const server = await TortureServer.start("registrar");
  const bytes = bytesOf(vectorOf(name));
  await server.datagram(bytes);
  const fetch = SipRequest.parse(bytes);
  fetch.headers.delete("contact");
  fetch.headers.set("via", "SIP/2.0/UDP 192.0.2.200;branch=z9hG4bKfetch");
  fetch.headers.set("cseq", `${fetch.cseq.number + 1} REGISTER`);
  const { answers } = await server.datagram(fetch.toBytes());
  await server.close();
  return answers[0]?.headers.getAll("contact") ?? [];
}

function bodyOf(packet: Packet): Buffer {
  return Buffer.from(packet.body);
}

describe("valid messages, RFC 4475 §3.1.1", () => {
  it("wsinv: reads through folding, odd spacing and escaped quotes", async () => {
    const request = await seen("uas", "wsinv");
    const { headers } = request;
    expect(request.uri).toBe("sip:vivekg@chair-dnrc.example.com;unknownparam");
    expect(parseSipUri(request.uri).params.has("unknownparam")).toBe(true);
    expect(headers.read(to)).toMatchObject({
      uri: "sip:vivekg@chair-dnrc.example.com",
      tag: "1918181833n",
    });
    expect(headers.read(from)).toMatchObject({
      displayName: 'J Rosenberg \\"',
      uri: "sip:jdrosen@example.com",
      tag: "98asjd8",
    });
    expect(headers.get("max-forwards")).toBe("0068");
    expect(request.cseq).toEqual({ number: 9, method: "INVITE" });
    expect(headers.readAll(via)).toMatchObject([
      { transport: "UDP", host: "192.0.2.2", branch: "390skdjuw" },
      { transport: "TCP", host: "spindle.example.com", branch: "z9hG4bK9ikj8" },
      { transport: "UDP", host: "192.168.255.111", branch: "z9hG4bK30239" },
    ]);
    expect(headers.get("subject")).toBe("");
    expect(headers.get("newfangledheader")).toBe("newfangled value continued newfangled value");
    expect(headers.get("unknownheaderwithunusualvalue")).toBe(";;,,;;,;");
    expect(headers.read(contentType)?.type).toBe("application/sdp");
    expect(headers.readAll(route)).toHaveLength(1);
    const binding = headers.read(contact);
    expect(binding).toMatchObject({
      displayName: 'Quoted string ""',
      uri: "sip:jdrosen@example.com",
      q: 0.33,
    });
    expect(binding !== "*" && binding?.params.get("newparam")).toBe("newvalue");
    expect(binding !== "*" && binding?.params.has("secondparam")).toBe(true);
    expect(bodyOf(request)).toHaveLength(150);
  });

  it("wsinv: a proxy sends on what it doesn't know as it came", async () => {
    const { forwarded } = await outcomeOf("proxy", "wsinv");
    expect(forwarded[0]).toContain("UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n");
    expect(forwarded[0]).toContain(
      "NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n",
    );
    expect(forwarded[0]).toMatch(/^Max-Forwards: 67\r$/im);
  });

  it("intmeth: takes every character that the grammar has", async () => {
    const request = await seen("element", "intmeth");
    const method = "!interesting-Method0123456789_*+`.%indeed'~";
    const user = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*";
    expect(request.method).toBe(method);
    expect(request.cseq).toEqual({ number: 139122385, method });
    expect(parseSipUri(request.uri)).toMatchObject({
      user,
      password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
      host: "example.com",
      headers: "",
    });
    expect(request.branch).toBe("z9hG4bK-.!%66*_+`'~");
    expect(request.to.displayName).toBe("BEL:\x07 NUL:\0 DEL:\x7f");
    expect(parseSipUri(request.to.uri).user).toBe(user);
    expect(request.from.displayName).toBe("token1~` token2'+_ token3*%!.-");
    expect(request.from.params.get("fromParam''~+*_!.-%")).toBe("работающий");
    expect(request.fromTag).toBe("_token~1'+`*%!-.");
    expect(request.callId).toBe("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    expect(request.headers.get("extensionHeader-!.%*+_`'~")).toBe("\ufeff大停電");
  });

  it("intmeth: the 501 lists the methods", async () => {
    for (const role of ["uas", "element"] as const) {
      expect((await answer(role, "intmeth")).headers.readAll(allow)).toContain("OPTIONS");
    }
  });

  it("intmeth: a proxy leaves it as it is", async () => {
    const copy = await forwarded("intmeth");
    const original = await seen("element", "intmeth");
    for (const name of ["from", "to", "call-id", "cseq", "extensionHeader-!.%*+_`'~"]) {
      expect(copy.headers.get(name)).toBe(original.headers.get(name));
    }
    expect(copy).toMatchObject({ method: original.method, uri: original.uri });
  });

  it("esc01: unescapes once, where it may", async () => {
    const request = await seen("uas", "esc01");
    expect(unescapeUser(parseSipUri(request.uri).user ?? "")).toBe("sips:user@example.com");
    expect(unescapeUser(parseSipUri(request.to.uri).user ?? "")).toBe("user");
    expect(unescapeUser(parseSipUri(request.from.uri).user ?? "")).toBe("I have spaces");
    const binding = request.headers.read(contact);
    const uri = binding === undefined || binding === "*" ? "" : binding.uri;
    expect(unescapeUser(parseSipUri(uri).user ?? "")).toBe("caller");
    expect(uriEquals(uri, "sip:caller@host5.example.net;lr;name=value%2541")).toBe(true);
    expect(uriEquals(uri, "sip:caller@host5.example.net;lr;name=valueA")).toBe(false);
  });

  it("escnull: two bindings, and a user whose name goes on behind the NUL", async () => {
    const request = await seen("registrar", "escnull");
    expect(unescapeUser(parseSipUri(request.to.uri).user ?? "")).toBe("null-\0-null");
    expect(await bindingsAfter("escnull")).toEqual([
      expect.stringContaining("<sip:%00@host5.example.com>"),
      expect.stringContaining("<sip:%00%00@host5.example.com>"),
    ]);
  });

  it("esc02: leaves a percent sign alone where it is no escape", async () => {
    const request = await seen("element", "esc02");
    expect(request.method).toBe("RE%47IST%45R");
    expect(request.branch).toBe("z9hG4bK209%fzsnel234");
    expect([request.to.displayName, request.from.displayName]).toEqual(["%Z%45", "%Z%45"]);
    expect(request.headers.getAll("contact")).toHaveLength(2);
    expect(request.headers.get("c%6Fntact")).toBe("<sip:alias2@host2.example.com>");
  });

  it("lwsdisp: needs no space between display name and bracket", async () => {
    expect((await seen("uas", "lwsdisp")).from).toMatchObject({
      displayName: "caller",
      uri: "sip:caller@example.com",
      tag: "323",
    });
  });

  it("longreq: reads what is long to its end", async () => {
    const request = await seen("uas", "longreq");
    const { headers } = request;
    expect(request.to.displayName).toBe(`I have a user name of ${"extreme".repeat(10)} proportion`);
    const { params, port } = parseSipUri(request.to.uri);
    expect(port).toBe(6000);
    expect(params.get("unknownparam1")).toBe(`very${"long".repeat(20)}value`);
    expect(params.get(`longparam${"name".repeat(25)}`)).toBe("shortvalue");
    expect(params.has(`very${"long".repeat(25)}ParameterNameWithNoValue`)).toBe(true);
    expect(request.fromTag).toBe(`12${"982".repeat(50)}424`);
    expect(request.from.params.has(`unknownValueless${"paramname".repeat(10)}`)).toBe(true);
    expect(request.callId).toBe(`longreq.one${"really".repeat(20)}longcallid`);
    const vias = headers.readAll(via);
    expect(vias).toHaveLength(34);
    expect(vias[0]).toMatchObject({ host: "sip33.example.com", branch: undefined });
    expect(vias[33]).toMatchObject({
      host: "host.example.com",
      received: "192.0.2.5",
      branch: `very${"long".repeat(50)}branchvalue`,
    });
    expect(headers.get(`unknown-${"long".repeat(20)}-name`)).toMatch(/^unknown-.*-value$/);
  });

  it("dblreq: what follows the body in a datagram is noise", async () => {
    const { seen, answers } = await outcomeOf("registrar", "dblreq");
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: "REGISTER", body: new Uint8Array(0) });
    expect(answers).toHaveLength(1);
    const copy = await forwarded("dblreq");
    expect(copy.toWire()).not.toContain("INVITE");
  });

  it("semiuri: a semicolon before the at sign is the user's", async () => {
    const { uri } = await seen("uas", "semiuri");
    expect(unescapeUser(parseSipUri(uri).user ?? "")).toBe("user;par=u@example.net");
    expect(parseSipUri(uri)).toMatchObject({ host: "example.com" });
    expect(parseSipUri(uri).params.has("par")).toBe(false);
  });

  it("transports: takes any for a transport", async () => {
    const request = await seen("uas", "transports");
    expect(request.headers.readAll(via).map(({ transport }) => transport)).toEqual([
      "UDP",
      "SCTP",
      "TLS",
      "UNKNOWN",
      "TCP",
    ]);
  });

  it("mpart01: carries a binary body, NULs and all", async () => {
    const request = await seen("uas", "mpart01");
    const body = bodyOf(request);
    expect(body).toHaveLength(553);
    expect(body.includes(0)).toBe(true);
    const type = request.headers.read(contentType);
    expect(type?.type).toBe("multipart/mixed");
    expect(type?.params.get("boundary")).toBe("7a9cbec02ceef655");
    expect(body.toString("latin1").split("--7a9cbec02ceef655")).toHaveLength(4);
    expect(request.headers.read(date)).toBe(Date.UTC(2005, 9, 15, 4, 44, 56));
    expect(bodyOf(await forwarded("mpart01"))).toEqual(body);
  });

  it("unreason and noreason: decode a reason phrase, and do without one", async () => {
    expect(await seenResponse("element", "unreason")).toMatchObject({
      status: 200,
      reason: "= 2**3 * 5**2 но сто девяносто девять - простое",
    });
    expect(await seenResponse("element", "noreason")).toMatchObject({ status: 100, reason: "" });
  });
});

describe("invalid messages that are accepted, RFC 4475 §3.1.2, §3.2", () => {
  it("ltgtruri: the brackets round the request-URI are taken off, and not sent on", async () => {
    expect((await seen("uas", "ltgtruri")).uri).toBe("sip:user@example.com");
    expect((await forwarded("ltgtruri")).toWire()).toMatch(/^INVITE sip:user@example\.com SIP/);
  });

  it("baddate: a Date of another time zone is nobody's business until it is read", async () => {
    const { headers } = await seen("uas", "baddate");
    expect(headers.get("date")).toBe("Fri, 01 Jan 2010 16:00:00 EST");
    expect(() => headers.read(date)).toThrow(ParseError);
  });

  it("badbranch: the cookie alone identifies no transaction", async () => {
    const server = await TortureServer.start("uas");
    const bytes = bytesOf(vectorOf("badbranch"));
    const other = Buffer.from(bytes.toString("latin1").replace("badbranch.", "another."), "latin1");
    expect((await server.datagram(bytes)).seen).toHaveLength(1);
    expect((await server.datagram(bytes)).seen).toHaveLength(0);
    expect((await server.datagram(other)).seen).toHaveLength(1);
    await server.close();
  });
});

describe("semantics, RFC 4475 §3.3, §3.4", () => {
  it("unkscm and novelsc: the parser has no opinion on a scheme", async () => {
    expect((await seen("element", "unkscm")).uri).toBe(
      "nobodyKnowsThisScheme:totallyopaquecontent",
    );
    expect(parseUri((await seen("element", "novelsc")).uri)).toMatchObject({
      scheme: "soap.beep",
    });
  });

  it("unksm2: reads addresses of any scheme", async () => {
    const request = await seen("registrar", "unksm2");
    expect(request.to.uri).toBe("isbn:2983792873");
    expect(request.from.uri).toBe("http://www.example.com");
    expect(request.headers.read(contact)).toMatchObject({ uri: "name:John_Smith" });
  });

  it("bext01: each role names what it doesn't support", async () => {
    expect((await answer("proxy", "bext01")).headers.getAll("unsupported")).toEqual([
      "noProxiesSupportThis",
      "norDoAnyProxiesSupportThis",
    ]);
    expect((await answer("uas", "bext01")).headers.getAll("unsupported")).toEqual([
      "nothingSupportsThis",
      "nothingSupportsThisEither",
    ]);
  });

  it("invut: a proxy sends a body of any type on", async () => {
    const copy = await forwarded("invut");
    expect(copy.headers.read(contentType)?.type).toBe("application/unknownformat");
    expect(bodyOf(copy)).toEqual(bodyOf(await seen("uas", "invut")));
  });

  it("regaut01: credentials of another scheme are read, sent on, and answered with a challenge", async () => {
    const { headers } = await seen("registrar", "regaut01");
    expect(headers.read(authorization)?.scheme.toLowerCase()).toBe("nooneknowsthisscheme");
    expect((await forwarded("regaut01")).headers.get("authorization")).toBe(
      "NoOneKnowsThisScheme opaque-data=here",
    );
    const challenge = await answer("guarded registrar", "regaut01");
    expect(challenge.headers.get("www-authenticate")).toMatch(/^Digest realm="example\.com"/);
    expect((await answer("uas", "regaut01")).headers.readAll(allow)).not.toContain("REGISTER");
  });

  it("bcast: nothing goes to the broadcast address", async () => {
    const outcome = await responseTo("proxy", "bcast");
    expect([...outcome.answers, ...outcome.forwarded]).toEqual([]);
    expect(outcome.counted).toEqual({ strayResponses: 1 });
  });

  it("cparam01, cparam02, regescrt: parameters and headers stay where they were", async () => {
    expect(await bindingsAfter("cparam01")).toEqual([
      expect.stringMatching(/^<sip:\+19725552222@gw1\.example\.net>;unknownparam;expires=\d+$/),
    ]);
    expect(await bindingsAfter("cparam02")).toEqual([
      expect.stringMatching(/^<sip:\+19725552222@gw1\.example\.net;unknownparam>;expires=\d+$/),
    ]);
    expect(await bindingsAfter("regescrt")).toEqual([
      expect.stringMatching(
        /^<sip:user@example\.com\?Route=%3Csip:sip\.example\.com%3E>;expires=\d+$/,
      ),
    ]);
  });

  it("sdp01: the 406 says why", async () => {
    expect((await answer("uas", "sdp01")).headers.get("warning")).toMatch(/^399 /);
  });

  it("inv2543: does without branch, From tag, Content-Length and Max-Forwards", async () => {
    const request = await seen("uas", "inv2543");
    expect([request.branch, request.fromTag]).toEqual([undefined, undefined]);
    expect(bodyOf(request)).toHaveLength(105);
    expect(request.headers.readAll(recordRoute)).toMatchObject([
      { uri: "sip:UserB@example.com;maddr=ss1.example.com" },
    ]);
    const copy = await forwarded("inv2543");
    expect(copy.headers.get("max-forwards")).toBe("70");
    expect(copy.headers.get("content-length")).toBe("105");
  });
});

describe("what a refusal says", () => {
  it("baddn: it is the display name, also where the head has its end", async () => {
    const server = await TortureServer.start("uas");
    const whole = Buffer.concat([bytesOf(vectorOf("baddn")), Buffer.from("\r\n")]);
    for (const { answers, closed } of [await server.datagram(whole), await server.stream(whole)]) {
      expect(answers).toMatchObject([{ status: 400, reason: "Malformed From: the display name" }]);
      expect(closed).toBe(false);
    }
    await server.close();
  });

  it.each(["badinv01", "scalar02", "quotbal", "lwsruri", "mismatch01", "multi01", "insuf"])(
    "%s: a reason, and what its sender knows it by",
    async (name) => {
      const refusal = await answer("element", name);
      expect(refusal.reason).not.toBe("");
      expect(refusal.headers.has("via")).toBe(true);
      expect(refusal.headers.getAll("call-id").length).toBeLessThan(2);
      const { counted } = await outcomeOf("element", name);
      expect(counted).toEqual({ malformedMessages: 1 });
    },
  );
});
