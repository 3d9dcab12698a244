import { describe, expect, it } from "vitest";
import type { AnyHandler, Packet } from "../chain/handler.ts";
import { onRequest } from "../chain/on-request.ts";
import { Reject } from "../chain/reject.ts";
import { contact } from "../message/header/contact.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import { TestServer } from "../testing/test-server.ts";

const VIA = "Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK1";
const INVITE = `INVITE sip:bob@example.com SIP/2.0\n${VIA}`;
const CANCEL = `CANCEL sip:bob@example.com SIP/2.0\n${VIA}`;
const OPTIONS = `OPTIONS sip:bob@example.com SIP/2.0\n${VIA}`;

function statuses(packets: readonly Packet[]): string[] {
  return packets.map((packet) =>
    packet.isRequest ? packet.method : `${packet.status} ${packet.method}`,
  );
}

/** A handler that claims everything, and what it claimed. */
function claimer(): { handler: AnyHandler; claimed: Request[] } {
  const claimed: Request[] = [];
  const handler = onRequest("*", function claims(request) {
    claimed.push(request);
    return "later";
  });
  return { handler, claimed };
}

function ackTo(response: Packet | undefined): string {
  const tag = response?.to.tag;
  return `ACK sip:bob@example.com SIP/2.0\n${VIA}\nTo: <sip:bob@example.com>;tag=${tag}`;
}

describe("a request that a handler answers at once", () => {
  it("is answered from memory when it comes again, RFC 3261 §17.2.2", async () => {
    let runs = 0;
    const server = await TestServer.start(
      onRequest("OPTIONS", (request) => {
        runs += 1;
        return request.createResponse(200);
      }),
    );
    const first = await server.ask(OPTIONS);
    const again = await server.ask(OPTIONS);
    expect(runs).toBe(1);
    expect(again.sent[0]?.toWire()).toBe(first.sent[0]?.toWire());
    await server.clock.advance(32_001);
    expect(Object.values(server.dispatcher.stats())).toEqual(
      Object.values(server.dispatcher.stats()).map(() => 0),
    );
    await server.close();
  });

  it("leaves nothing behind when the answer is stateless, RFC 3261 §8.2.7", async () => {
    let runs = 0;
    const server = await TestServer.start(
      onRequest("*", (request) => {
        runs += 1;
        return request.createResponse(401, { stateless: true });
      }),
    );
    const first = await server.ask(INVITE);
    expect(server.dispatcher.stats()).toMatchObject({ inviteServers: 0, transactionBytes: 0 });
    const again = await server.ask(INVITE);
    expect(runs).toBe(2);
    expect(again.sent[0]?.toWire()).toBe(first.sent[0]?.toWire());
    const { sent } = await server.ask(ackTo(first.sent[0]));
    expect(sent).toEqual([]);
    expect(server.dispatcher.counters()).toMatchObject({ acksToStatelessAnswers: 1 });
    expect(runs).toBe(2);
    await server.close();
  });

  it("is answered with the status that its handler throws", async () => {
    const server = await TestServer.start(() => {
      throw new Reject(486, { reason: "Not Now", headers: { "Retry-After": "5" } });
    });
    const { sent } = await server.ask(INVITE);
    expect(statuses(sent)).toEqual(["486 INVITE"]);
    expect(sent[0]?.headers.get("retry-after")).toBe("5");
    expect(server.errors).toEqual([]);
    await server.close();
  });

  it.each([
    ["a reason that holds a line end", { reason: "a\rb" }],
    ["a header that holds one", { headers: { "X-Why": "a\r\nVia: b" } }],
  ])(
    "is answered 500 when its handler rejects it with %s, and the server goes on",
    async (_what, options) => {
      const server = await TestServer.start(() => {
        throw new Reject(486, options);
      });
      const { sent } = await server.ask(INVITE);
      expect(statuses(sent)).toEqual(["500 INVITE"]);
      expect(server.errors.map(({ code }) => code)).toEqual(["SIP_BAD_HEADER"]);
      await server.close();
    },
  );

  it("can't be rejected with a status that refuses nothing", () => {
    expect(() => new Reject(180)).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
    expect(() => new Reject(99)).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
  });

  it("is answered 400 when a handler asks for a header that is malformed", async () => {
    const server = await TestServer.start(
      onRequest("*", (request) => {
        request.headers.read(contact);
        return request.createResponse(200);
      }),
    );
    const { sent } = await server.ask("INVITE sip:bob@example.com SIP/2.0\nContact: <sip:bob");
    expect(server.dispatcher.counters()).toMatchObject({ malformedHeaders: 1 });
    expect(statuses(sent)).toEqual(["400 INVITE"]);
    await server.close();
  });

  it("gets its 2xx to an INVITE again and again until the ACK, RFC 3261 §13.3.1.4", async () => {
    const server = await TestServer.start(
      onRequest("INVITE", (request) => request.createResponse(200)),
    );
    const { sent } = await server.ask(INVITE);
    await server.clock.advance(1600);
    expect(statuses(server.takeSent())).toEqual(["200 INVITE", "200 INVITE"]);
    const tag = sent[0]?.to.tag;
    await server.ask(
      `ACK sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK2\nTo: <sip:bob@example.com>;tag=${tag}`,
    );
    await server.clock.advance(30_000);
    expect(server.takeSent()).toEqual([]);
    await server.close();
  });
});

describe("a request that a handler claims", () => {
  it("gets a 100 after 200 ms when it is an INVITE, RFC 3261 §17.2.1", async () => {
    const server = await TestServer.start(claimer().handler);
    const { verdict, by, sent } = await server.ask(INVITE);
    expect([verdict, by, sent]).toEqual(["later", "claims", []]);
    await server.clock.advance(199);
    expect(server.takeSent()).toEqual([]);
    await server.clock.advance(1);
    expect(statuses(server.takeSent())).toEqual(["100 INVITE"]);
    await server.close();
  });

  it("gets a 100 only when the client's Timer E is at T2 when it is none, RFC 4320 §4.1", async () => {
    const server = await TestServer.start(claimer().handler);
    await server.ask(OPTIONS);
    await server.clock.advance(3499);
    expect(server.takeSent()).toEqual([]);
    await server.clock.advance(1);
    expect(statuses(server.takeSent())).toEqual(["100 OPTIONS"]);
    await server.close();
  });

  it("is answered through deliver, a 180 first", async () => {
    const { handler, claimed } = claimer();
    const server = await TestServer.start(handler);
    await server.ask(INVITE);
    server.dispatcher.deliver(claimed[0]?.createResponse(180) as Response);
    server.dispatcher.deliver(claimed[0]?.createResponse(486) as Response);
    const sent = server.takeSent();
    expect(statuses(sent)).toEqual(["180 INVITE", "486 INVITE"]);
    expect(sent[0]?.to.tag).toBe(sent[1]?.to.tag);
    await server.ask(ackTo(sent[1]));
    await server.clock.advance(40_000);
    expect(server.takeSent()).toEqual([]);
    await server.close();
  });

  it("refuses and names a second final answer", async () => {
    const { handler, claimed } = claimer();
    const server = await TestServer.start(handler);
    await server.ask(INVITE);
    server.dispatcher.deliver(claimed[0]?.createResponse(486) as Response);
    server.takeSent();
    server.dispatcher.deliver(claimed[0]?.createResponse(603) as Response);
    expect(server.takeSent()).toEqual([]);
    expect(server.errors.map(({ code }) => code)).toEqual(["SIP_ANSWERED_TWICE"]);
    expect(server.errors[0]?.message).toContain("claims");
    await server.close();
  });

  it("is answered 408 and named when nobody answers an INVITE before Timer C", async () => {
    const server = await TestServer.start(claimer().handler);
    await server.ask(INVITE);
    await server.clock.advance(180_000);
    expect(statuses(server.takeSent())).toEqual(["100 INVITE"]);
    await server.clock.advance(1000);
    expect(statuses(server.takeSent())).toEqual(["408 INVITE"]);
    expect(server.errors.map(({ code }) => code)).toEqual(["SIP_UNANSWERED"]);
    expect(server.errors[0]?.message).toContain("claims");
    await server.close();
  });

  it("has its time anew after each provisional response, RFC 3261 §16.7", async () => {
    const { handler, claimed } = claimer();
    const server = await TestServer.start(handler);
    await server.ask(INVITE);
    await server.clock.advance(100_000);
    server.dispatcher.deliver(claimed[0]?.createResponse(180) as Response);
    await server.clock.advance(180_000);
    expect(server.errors).toEqual([]);
    await server.clock.advance(1000);
    expect(server.errors.map(({ code }) => code)).toEqual(["SIP_UNANSWERED"]);
    await server.close();
  });

  it("is never answered 408 when it is no INVITE, RFC 4320 §4.2", async () => {
    const server = await TestServer.start(claimer().handler);
    await server.ask(OPTIONS);
    await server.clock.advance(100_000);
    expect(statuses(server.takeSent())).toEqual(["100 OPTIONS"]);
    expect(server.errors.map(({ code }) => code)).toEqual(["SIP_UNANSWERED"]);
    expect(server.dispatcher.stats()).toMatchObject({ waitingRequests: 0, nonInviteServers: 0 });
    await server.close();
  });

  it("ends in silence by a 408 when it is no INVITE, RFC 4320 §4.2", async () => {
    const { handler, claimed } = claimer();
    const server = await TestServer.start(handler);
    await server.ask(OPTIONS);
    server.dispatcher.deliver(claimed[0]?.createResponse(408) as Response);
    await server.clock.advance(100_000);
    expect(server.takeSent()).toEqual([]);
    expect(server.errors).toEqual([]);
    expect(server.dispatcher.stats()).toMatchObject({ waitingRequests: 0, nonInviteServers: 0 });
    expect(server.dispatcher.counters()).toMatchObject({ withheldTimeouts: 1 });
    await server.close();
  });

  it("never runs the chain twice for a retransmission", async () => {
    const { handler, claimed } = claimer();
    const server = await TestServer.start(handler);
    await server.ask(INVITE);
    await server.ask(INVITE);
    expect(claimed).toHaveLength(1);
    await server.close();
  });
});

describe("a CANCEL", () => {
  it("is answered 200, and 487 follows when nobody holds the signal, RFC 3261 §9.2", async () => {
    const server = await TestServer.start(claimer().handler);
    await server.ask(INVITE);
    const { sent } = await server.ask(CANCEL);
    expect(statuses(sent)).toEqual(["200 CANCEL", "487 INVITE"]);
    expect(sent[0]?.to.tag).toBe(sent[1]?.to.tag);
    await server.close();
  });

  it("aborts the signal, and leaves the answer to who holds it", async () => {
    const { handler, claimed } = claimer();
    const server = await TestServer.start(handler);
    await server.ask(INVITE);
    const request = claimed[0] as Request;
    request.signal.addEventListener("abort", () => {
      server.dispatcher.deliver(request.createResponse(487, { reason: "So Be It" }));
    });
    const { sent } = await server.ask(CANCEL);
    expect(statuses(sent)).toEqual(["200 CANCEL", "487 INVITE"]);
    expect((sent[1] as Response).reason).toBe("So Be It");
    await server.close();
  });

  it("is followed by 487 after 65·T1 when who holds the signal does nothing", async () => {
    const { handler, claimed } = claimer();
    const server = await TestServer.start(handler);
    await server.ask(INVITE);
    expect(claimed[0]?.signal.aborted).toBe(false);
    expect(statuses((await server.ask(CANCEL)).sent)).toEqual(["200 CANCEL"]);
    expect(claimed[0]?.signal.aborted).toBe(true);
    await server.clock.advance(32_500);
    expect(statuses(server.takeSent())).toContain("487 INVITE");
    await server.close();
  });

  it("gets the same answer when it comes again after its INVITE is over, RFC 3261 §17.2.2", async () => {
    const server = await TestServer.start(claimer().handler);
    await server.ask(INVITE);
    const [first, final] = (await server.ask(CANCEL)).sent;
    await server.ask(`ACK sip:bob@example.com SIP/2.0\n${VIA}\nTo: ${final?.headers.get("to")}`);
    await server.clock.advance(10_000);
    expect(server.dispatcher.stats()).toMatchObject({ inviteServers: 0 });
    const [second] = (await server.ask(CANCEL)).sent;
    expect(second?.toWire()).toBe(first?.toWire());
    await server.clock.advance(32_000);
    expect(server.dispatcher.stats()).toMatchObject({ nonInviteServers: 0 });
    await server.close();
  });

  it("changes nothing when the INVITE has its answer", async () => {
    const server = await TestServer.start(
      onRequest("INVITE", (request) => request.createResponse(486)),
    );
    await server.ask(INVITE);
    expect(statuses((await server.ask(CANCEL)).sent)).toEqual(["200 CANCEL"]);
    await server.close();
  });

  it("is answered 481 when there is nothing to cancel, and meets no handler", async () => {
    const { handler, claimed } = claimer();
    const server = await TestServer.start(handler);
    expect(statuses((await server.ask(CANCEL)).sent)).toEqual(["481 CANCEL"]);
    expect(claimed).toEqual([]);
    await server.close();
  });

  it("ends a request whose handler is still pending", async () => {
    const server = await TestServer.start(
      onRequest(
        "INVITE",
        (request) =>
          new Promise((resolve) => {
            server.clock.setTimer(5000, () => resolve(request.createResponse(200)));
          }),
      ),
    );
    const asked = server.ask(INVITE);
    expect(statuses((await server.ask(CANCEL)).sent)).toEqual(["200 CANCEL", "487 INVITE"]);
    await server.clock.advance(5000);
    await asked;
    expect(statuses(server.takeSent())).not.toContain("200 INVITE");
    await server.close();
  });
});

describe("requests of one call", () => {
  it("wait behind a pending one of the same source", async () => {
    const order: string[] = [];
    const server = await TestServer.start(
      onRequest("*", async (request) => {
        order.push(`${request.cseq.number} begins`);
        if (request.cseq.number === 1) {
          await new Promise<void>((resolve) => server.clock.setTimer(100, resolve));
        }
        order.push(`${request.cseq.number} ends`);
        return request.createResponse(200);
      }),
    );
    const first = server.ask(
      "OPTIONS sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.100;branch=z9hG4bKa",
    );
    const second = server.ask(
      "OPTIONS sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.100;branch=z9hG4bKb\nCSeq: 2 OPTIONS",
    );
    expect(server.dispatcher.stats()).toMatchObject({ queuedRequests: 1 });
    await server.clock.advance(100);
    await Promise.all([first, second]);
    await server.clock.advance(1);
    expect(order).toEqual(["1 begins", "1 ends", "2 begins", "2 ends"]);
    expect(server.dispatcher.stats()).toMatchObject({ queuedRequests: 0 });
    await server.close();
  });

  it("are refused when too many wait", async () => {
    const server = await TestServer.start(onRequest("*", () => new Promise(() => undefined)));
    const answers: string[] = [];
    for (let number = 1; number <= 20; number += 1) {
      void server.ask(
        `OPTIONS sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.100;branch=z9hG4bK${number}\nCSeq: ${number} OPTIONS`,
      );
      answers.push(...statuses(server.takeSent()));
    }
    expect(answers).toEqual(Array(3).fill("503 OPTIONS"));
    expect(server.dispatcher.counters()).toMatchObject({ refusedForWantOfRoom: 3 });
    await server.close();
  });
});

describe("bytes that are no SIP", () => {
  it.each([
    ["an unknown version", "OPTIONS sip:bob@example.com SIP/3.0", 505],
    ["a doubled Call-ID", "OPTIONS sip:bob@example.com SIP/2.0\nCall-ID: a\nCall-ID: b", 400],
    [
      "a Content-Length longer than the datagram",
      "OPTIONS sip:bob@example.com SIP/2.0\nContent-Length: 10",
      400,
    ],
    ["a CSeq of another method", "OPTIONS sip:bob@example.com SIP/2.0\nCSeq: 1 INVITE", 400],
  ])("are answered with the status they are owed: %s", async (_what, text, status) => {
    const server = await TestServer.start(claimer().handler);
    const { sent } = await server.ask(text);
    expect(sent.map((packet) => !packet.isRequest && packet.status)).toEqual([status]);
    expect(server.dispatcher.counters()).toMatchObject({ malformedMessages: 1 });
    expect(server.dispatcher.stats()).toMatchObject({ transactionBytes: 0 });
    await server.close();
  });
});
