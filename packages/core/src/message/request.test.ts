import { describe, expect, it } from "vitest";
import type { Arrival, Leg, Peer } from "../arrival.ts";
import { SipError } from "../errors.ts";
import { packetKey } from "./packet-key.ts";
import { abortRequest, Request, seal, signalHeld, toTagOf } from "./request.ts";
import { Response } from "./response.ts";

const INVITE = [
  "INVITE sip:bob@biloxi.com SIP/2.0",
  "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds ;rport",
  "v: SIP/2.0/UDP second.atlanta.com;branch=z9hG4bK2 , SIP/2.0/UDP third;branch=z9hG4bK3",
  "Max-Forwards: 70",
  "Record-Route: <sip:p2.atlanta.com;lr>, <sip:p1.atlanta.com;lr>",
  "Route: <sip:us.example.com;lr>",
  "t:  Bob   <sip:bob@biloxi.com>",
  "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
  "Call-ID: a84b4c76e66710@pc33.atlanta.com",
  "CSEQ: 314159 INVITE",
  "Contact: <sip:alice@pc33.atlanta.com>",
  'Authorization: Digest username="alice"',
  "X-Odd  :  as   it came  ",
  "Content-Type: application/sdp",
  "Content-Length: 4",
  "",
  "v=0\n",
].join("\r\n");

const LEG: Leg = { protocol: "udp", address: "192.0.2.9", port: 5060, sentBy: "192.0.2.9:5060" };
const PEER: Peer = { protocol: "udp", address: "192.0.2.1", port: 5060 };
const ARRIVAL: Arrival = { leg: LEG, from: PEER, at: 12 };
const TAGGER = { tag: () => "ours" };

const invite = (): Request => Request.parse(INVITE);
const linesOf = (message: Request | Response): string[] => message.toWire().split("\r\n");

describe("Request", () => {
  it("is made from method, URI, headers and body, and counts its body", () => {
    const request = new Request("MESSAGE", "sip:b@c", {
      headers: { To: "<sip:b@c>", Subject: "ж" },
      body: "größer",
    });
    expect(Buffer.from(request.toBytes()).toString("utf8")).toBe(
      "MESSAGE sip:b@c SIP/2.0\r\nTo: <sip:b@c>\r\nSubject: ж\r\nContent-Length: 8\r\n\r\ngrößer",
    );
    expect(request.arrival).toBeUndefined();
    expect(() => request.callId).toThrow(/Call-ID/);
    expect(() => request.from).toThrow(/From/);
    expect(() => request.fromTag).toThrow(/From/);
    expect(() => request.cseq).toThrow(/CSeq/);
    expect(request.topmostVia).toBeUndefined();
    expect(request.branch).toBeUndefined();
  });

  it("corrects a Content-Length that was given", () => {
    const given = { headers: { "Content-Length": "999", l: "1" }, body: "ab" };
    expect(new Request("MESSAGE", "sip:b", given).toWire()).toBe(
      "MESSAGE sip:b SIP/2.0\r\nContent-Length: 2\r\n\r\nab",
    );
  });

  it("is sent again byte for byte when nobody touched it", () => {
    expect(invite().toWire()).toBe(INVITE);
    expect(Buffer.from(invite().toBytes()).toString("latin1")).toBe(INVITE);
    const read = invite();
    void [read.body, read.from, read.cseq, read.headers.getAll("via"), read.uri];
    expect(read.toWire()).toBe(INVITE);
  });

  it("writes anew only what changed", () => {
    const request = invite();
    request.uri = "sip:bob@192.0.2.4";
    request.headers.set("Max-Forwards", "69");
    request.headers.prepend("Via", "SIP/2.0/UDP us;branch=z9hG4bKx");
    const expected = INVITE.split("\r\n");
    expected[0] = "INVITE sip:bob@192.0.2.4 SIP/2.0";
    expected[3] = "Max-Forwards: 69";
    expected.splice(1, 0, "Via: SIP/2.0/UDP us;branch=z9hG4bKx");
    expect(linesOf(request)).toEqual(expected);
    expect(request.branch).toBe("z9hG4bKx");
  });

  it("has Content-Length follow its body, in its place", () => {
    const request = invite();
    request.body = Uint8Array.of(1, 2, 3, 255, 0);
    expect(linesOf(request)).toContain("Content-Length: 5");
    expect(Request.parse(request.toBytes()).body).toEqual(Uint8Array.of(1, 2, 3, 255, 0));
    request.body = new Uint8Array(0);
    expect(request.toWire().endsWith("Content-Length: 0\r\n\r\n")).toBe(true);
  });

  it("gets a Content-Length when it had none and something changed", () => {
    const text =
      "OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nf: <sip:a@b>\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\n\r\nab";
    const request = Request.parse(text);
    expect(request.toWire()).toBe(text);
    request.headers.set("Subject", "x");
    expect(linesOf(request).slice(-4)).toEqual(["Subject: x", "Content-Length: 2", "", "ab"]);
  });

  it("takes what was parsed, also what is white space to JavaScript alone", () => {
    const uri = "sip:\ufeffb\u00a0\u2028@c";
    const wire = Buffer.from(INVITE.replace("sip:bob@biloxi.com", uri), "utf8");
    const request = Request.parse(wire);
    expect(request.uri).toBe(uri);
    expect(request.createCancel().uri).toBe(uri);
    expect(request.createAck(request.createResponse(404)).uri).toBe(uri);
  });

  it.each(["a\rb", "sip:a\r\nVia: x", "sip:a\0b", "sip:a b", "", "sip:a\tb", "sip:a\x7f"])(
    "refuses %j as its URI",
    (uri) => {
      const refused = expect.objectContaining({ code: "SIP_BAD_URI" });
      expect(() => new Request("OPTIONS", uri)).toThrow(refused);
      const request = invite();
      expect(() => {
        request.uri = uri;
      }).toThrow(refused);
      expect(request.toWire()).toBe(INVITE);
    },
  );

  it("refuses a method that is no token", () => {
    expect(() => new Request("INV ITE", "sip:a")).toThrow(SipError);
    expect(() => {
      invite().method = "A\r\nB";
    }).toThrow(expect.objectContaining({ code: "SIP_BAD_METHOD" }));
  });

  it("sends a URI that came in brackets without them, RFC 4475 §3.1.2.7", () => {
    const text = INVITE.replace("sip:bob@biloxi.com", "<sip:bob@biloxi.com>");
    expect(linesOf(Request.parse(text))[0]).toBe("INVITE sip:bob@biloxi.com SIP/2.0");
    expect(linesOf(Request.parse(text).clone())[0]).toBe("INVITE sip:bob@biloxi.com SIP/2.0");
  });

  it("changes its method", () => {
    const request = invite();
    request.method = "MESSAGE";
    expect([request.method, linesOf(request)[0]]).toEqual([
      "MESSAGE",
      "MESSAGE sip:bob@biloxi.com SIP/2.0",
    ]);
  });
});

describe("facts", () => {
  const number = packetKey<number>("a number");

  it("are set, read and needed", () => {
    const request = invite();
    expect(request.get(number)).toBeUndefined();
    expect(() => request.need(number)).toThrow(
      expect.objectContaining({
        code: "SIP_MISSING_FACT",
        message: expect.stringContaining("a number"),
      }),
    );
    request.set(number, 5);
    expect(request.need(number)).toBe(5);
    expect(request.get(packetKey("a number"))).toBeUndefined();
  });

  it("are a clone's own from where it was made", () => {
    const request = invite();
    request.set(number, 1);
    const clone = request.clone();
    expect(clone.get(number)).toBe(1);
    clone.set(number, 2);
    request.set(number, 3);
    expect([request.get(number), clone.get(number)]).toEqual([3, 2]);
  });
});

describe("clone", () => {
  it("keeps what it was made of, whatever happens to the other", () => {
    const request = invite();
    const clone = request.clone();
    request.headers.set("Subject", "original");
    request.uri = "sip:original";
    clone.headers.delete("Route");
    clone.body = Uint8Array.of(1);
    expect(clone.headers.has("subject")).toBe(false);
    expect(request.headers.has("route")).toBe(true);
    expect(clone.uri).toBe("sip:bob@biloxi.com");
    expect(request.body).toHaveLength(4);
    expect(clone.clone().toWire()).toBe(clone.toWire());
  });

  it("keeps a changed start line and body", () => {
    const request = invite();
    request.uri = "sip:x";
    request.body = Uint8Array.of(65);
    expect(request.clone().toWire()).toBe(request.toWire());
  });

  it("keeps arrival, To tag and received lines, not the signal", () => {
    const request = invite();
    seal(request, { arrival: ARRIVAL, tagger: TAGGER });
    request.headers.delete("via");
    const { signal } = request;
    const clone = request.clone();
    expect(clone.arrival).toBe(ARRIVAL);
    expect(clone.signal).not.toBe(signal);
    expect(clone.createResponse(200).toTag).toBe("ours");
    expect(clone.createResponse(200).headers.getAll("via")).toHaveLength(3);
  });
});

describe("createResponse, RFC 3261 §8.2.6", () => {
  it("takes Via, From, To, Call-ID and CSeq as they came", () => {
    const response = invite().createResponse(486);
    const lines = linesOf(response);
    const tag = response.toTag;
    expect(tag).toMatch(/^[\w-]{8,}$/);
    expect(lines).toEqual([
      "SIP/2.0 486 Busy Here",
      "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds ;rport",
      "v: SIP/2.0/UDP second.atlanta.com;branch=z9hG4bK2 , SIP/2.0/UDP third;branch=z9hG4bK3",
      `t: Bob   <sip:bob@biloxi.com>;tag=${tag}`,
      "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
      "Call-ID: a84b4c76e66710@pc33.atlanta.com",
      "CSEQ: 314159 INVITE",
      "Content-Length: 0",
      "",
      "",
    ]);
  });

  it.each([
    [100, false],
    [101, true],
    [180, true],
    [200, true],
    [299, true],
    [300, false],
    [404, false],
  ])("%i has Record-Route: %s, RFC 3261 §12.1.1", (status, expected) => {
    expect(invite().createResponse(status).headers.has("record-route")).toBe(expected);
  });

  it("answers as received, whatever was changed since", () => {
    const request = invite();
    seal(request, { arrival: ARRIVAL, tagger: TAGGER });
    request.headers.set("Via", "SIP/2.0/UDP other");
    request.headers.set("From", "<sip:other@x>");
    request.headers.delete("To");
    request.headers.set("CSeq", "9 BYE");
    request.headers.delete("record-route");
    const response = request.createResponse(200);
    expect(response.headers.getAll("via")).toHaveLength(3);
    expect(response.fromTag).toBe("1928301774");
    expect(response.toTag).toBe("ours");
    expect(response.cseq).toEqual({ number: 314159, method: "INVITE" });
    expect(response.headers.getAll("record-route")).toHaveLength(2);
    expect(response.request).toBe(request);
  });

  it("has one tag for all answers, none for a 100, and leaves one that is there", () => {
    const request = invite();
    expect(request.createResponse(100).toTag).toBeUndefined();
    const tag = request.createResponse(180).toTag;
    expect(request.createResponse(200).toTag).toBe(tag);
    expect(toTagOf(request)).toBe(tag);
    expect(invite().createResponse(180).toTag).not.toBe(tag);
    const inDialog = Request.parse(INVITE.replace("biloxi.com>", "biloxi.com>;tag=theirs"));
    seal(inDialog, { arrival: ARRIVAL, tagger: TAGGER });
    expect(inDialog.createResponse(200).toTag).toBe("theirs");
    expect(toTagOf(inDialog)).toBe("theirs");
  });

  it("puts a tag on an address without brackets and on a folded one", () => {
    const bare = Request.parse(INVITE.replace("Bob   <sip:bob@biloxi.com>", "sip:bob@biloxi.com"));
    seal(bare, { arrival: ARRIVAL, tagger: TAGGER });
    expect(linesOf(bare.createResponse(404))).toContain("t: sip:bob@biloxi.com;tag=ours");
    const folded = Request.parse(INVITE.replace("Bob   <", "Bob\r\n  <"));
    seal(folded, { arrival: ARRIVAL, tagger: TAGGER });
    expect(linesOf(folded.createResponse(404))).toContain("t: Bob <sip:bob@biloxi.com>;tag=ours");
  });

  it("keeps bytes that are no UTF-8 as they are", () => {
    const bytes = Buffer.from(INVITE.replace("Bob ", "B\xf6b "), "latin1");
    const wire = Request.parse(bytes).createResponse(404).toWire();
    expect(wire).toContain("\r\nt: B\xf6b   <sip:bob@biloxi.com>;tag=");
  });

  it("takes reason, headers, body and stateless", () => {
    const response = invite().createResponse(302, {
      reason: "Over There",
      headers: { Contact: ["<sip:c>", "<sip:d>"] },
      body: "x",
      stateless: true,
    });
    expect(response).toMatchObject({ status: 302, reason: "Over There", stateless: true });
    expect(linesOf(response).slice(-6)).toEqual([
      "CSEQ: 314159 INVITE",
      "Contact: <sip:c>",
      "Contact: <sip:d>",
      "Content-Length: 1",
      "",
      "x",
    ]);
    expect(invite().createResponse(200).stateless).toBe(false);
  });

  it("is parsed again to the same", () => {
    const response = invite().createResponse(200, { headers: { Subject: "ж" } });
    const parsed = Response.parse(response.toBytes());
    expect([...parsed.headers]).toEqual([...response.headers, ["Content-Length", "0"]]);
  });

  it("can be changed without a change to the request", () => {
    const request = invite();
    const response = request.createResponse(200);
    response.headers.delete("via");
    response.headers.set("from", "<sip:x@y>");
    expect(request.toWire()).toBe(INVITE);
    expect(request.createResponse(200).headers.getAll("via")).toHaveLength(3);
  });
});

describe("createAck", () => {
  it("acknowledges a final response that isn't 2xx, RFC 3261 §17.1.1.3", () => {
    const request = invite();
    const ack = request.createAck(
      request.createResponse(486, { headers: { Contact: "<sip:elsewhere>" } }),
    );
    expect(linesOf(ack)).toEqual([
      "ACK sip:bob@biloxi.com SIP/2.0",
      "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds ;rport",
      "Route: <sip:us.example.com;lr>",
      expect.stringMatching(/^t: Bob {3}<sip:bob@biloxi\.com>;tag=[\w-]+$/),
      "Max-Forwards: 70",
      "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
      "Call-ID: a84b4c76e66710@pc33.atlanta.com",
      "CSeq: 314159 ACK",
      "Content-Length: 0",
      "",
      "",
    ]);
  });

  it("has the topmost Via alone, also out of a list", () => {
    const request = invite();
    request.headers.shift("via");
    const { headers } = request.createAck(request.createResponse(500));
    expect(headers.getAll("via")).toEqual(["SIP/2.0/UDP second.atlanta.com;branch=z9hG4bK2"]);
  });

  const answered = (recordRoute: string, contact = "<sip:bob@192.0.2.4>"): Request => {
    const request = invite();
    const response = request.createResponse(200, { headers: { Contact: contact } });
    response.headers.set("Record-Route", recordRoute);
    return request.createAck(response);
  };

  it("acknowledges a 2xx along the route set, RFC 3261 §13.2.2.4", () => {
    const ack = answered("<sip:p3.x.com;lr>, <sip:p2.x.com;lr>, <sip:p1.x.com;lr>");
    expect(ack).toMatchObject({ method: "ACK", uri: "sip:bob@192.0.2.4" });
    expect(ack.cseq).toEqual({ number: 314159, method: "ACK" });
    expect(ack.headers.getAll("route")).toEqual([
      "<sip:p1.x.com;lr>",
      "<sip:p2.x.com;lr>",
      "<sip:p3.x.com;lr>",
    ]);
    expect(ack.headers.has("via")).toBe(false);
    expect(ack.headers.get("authorization")).toBe('Digest username="alice"');
    expect(ack.toTag).toBeDefined();
  });

  it("puts a strict router into the request-URI, RFC 3261 §12.2.1.1", () => {
    const ack = answered("<sip:p2.x.com;lr>, <sip:p1.x.com>");
    expect(ack.uri).toBe("sip:p1.x.com");
    expect(ack.headers.getAll("route")).toEqual(["<sip:p2.x.com;lr>", "<sip:bob@192.0.2.4>"]);
  });

  it("keeps the route set of the dialog that the request is within, RFC 3261 §12.2", () => {
    const request = invite();
    request.headers.set("To", "<sip:bob@biloxi.com>;tag=b");
    request.headers.set("Route", ["<sip:p1.x.com;lr>", "<sip:p2.x.com;lr>"]);
    const response = request.createResponse(200, { headers: { Contact: "<sip:bob@192.0.2.4>" } });
    expect(request.createAck(response).headers.getAll("route")).toEqual([
      "<sip:p1.x.com;lr>",
      "<sip:p2.x.com;lr>",
    ]);
  });

  it("refuses a provisional response", () => {
    const request = invite();
    expect(() => request.createAck(request.createResponse(180))).toThrow(SipError);
  });
});

describe("createCancel, RFC 3261 §9.1", () => {
  it("is the request's but for the method, with the topmost Via alone", () => {
    expect(linesOf(invite().createCancel())).toEqual([
      "CANCEL sip:bob@biloxi.com SIP/2.0",
      "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds ;rport",
      "Route: <sip:us.example.com;lr>",
      "t:  Bob   <sip:bob@biloxi.com>",
      "Max-Forwards: 70",
      "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
      "Call-ID: a84b4c76e66710@pc33.atlanta.com",
      "CSeq: 314159 CANCEL",
      "Content-Length: 0",
      "",
      "",
    ]);
  });
});

describe("the signal", () => {
  it("is made when somebody asks, and aborted then or later", () => {
    const request = invite();
    expect(signalHeld(request)).toBe(false);
    const { signal } = request;
    expect(signalHeld(request)).toBe(true);
    expect(request.signal).toBe(signal);
    expect(signal.aborted).toBe(false);
    abortRequest(request);
    expect(signal.aborted).toBe(true);
    const late = invite();
    abortRequest(late);
    expect(signalHeld(late)).toBe(false);
    expect(late.signal.aborted).toBe(true);
  });
});
