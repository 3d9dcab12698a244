import { Dispatcher, onRequest, type Packet, Request, Response } from "@sipkit/core";
import { TestServer, VirtualNetwork } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";

function statuses(packets: readonly Packet[]): readonly (number | string)[] {
  return packets.map((packet) => (packet.isRequest ? packet.method : packet.status));
}

/** A request of its own transaction, and of its own call unless one is given. */
let requests = 0;
function request(method: string, callId?: string): string {
  requests += 1;
  return [
    `${method} sip:bob@example.com SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${requests}`,
    `Call-ID: ${callId ?? requests}`,
    `CSeq: ${requests} ${method}`,
  ].join("\n");
}

/** Lets a request arrive without waiting for what a handler makes of it, and gives what is sent at once. */
function arrive(server: TestServer, text: string): readonly (number | string)[] {
  void server.ask(text);
  return statuses(server.takeSent());
}

const forever = (): Promise<never> => new Promise(() => undefined);

describe("handlers at work", () => {
  it("are 10,000 at most: then requests are refused with 503, ACKs and responses dropped", async () => {
    let started = 0;
    const server = await TestServer.start(
      () => {
        started += 1;
        return forever();
      },
      { limits: { transactionBytes: 1e9 } },
    );
    for (let count = 0; count < 10_000; count += 1) {
      expect(arrive(server, request("MESSAGE"))).toEqual([]);
    }
    expect(server.dispatcher.stats()).toMatchObject({ pendingHandlers: 10_000 });
    expect(arrive(server, request("MESSAGE"))).toEqual([503]);
    expect(arrive(server, request("ACK"))).toEqual([]);
    const via = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKstray";
    const lines = "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE";
    expect(arrive(server, `SIP/2.0 200 OK\r\n${via}\r\n${lines}\r\n\r\n`)).toEqual([]);
    expect(started).toBe(10_000);
    expect(server.dispatcher.counters()).toMatchObject({
      refusedForWantOfRoom: 2,
      refusedAcks: 1,
      strayResponses: 1,
    });
    await server.close();
  });

  it("keep 10,000 requests of their calls waiting at most, and 16 each: more are refused with 503", async () => {
    const server = await TestServer.start(forever, { limits: { transactionBytes: 1e9 } });
    for (let call = 0; call < 625; call += 1) {
      for (let count = 0; count < 17; count += 1) {
        expect(arrive(server, request("MESSAGE", `call-${call}`))).toEqual([]);
      }
    }
    expect(server.dispatcher.stats()).toMatchObject({ queuedRequests: 10_000 });
    expect(arrive(server, request("MESSAGE", "call-0"))).toEqual([503]);
    expect(arrive(server, request("MESSAGE", "another"))).toEqual([]);
    expect(arrive(server, request("MESSAGE", "another"))).toEqual([503]);
    expect(server.dispatcher.counters()).toMatchObject({ refusedForWantOfRoom: 2 });
    await server.close();
  });
});

describe("a request that waits for its answer", () => {
  const claim = onRequest("*", () => "later");

  it("is answered 408 and counted when it is an INVITE, after Timer C", async () => {
    const server = await TestServer.start(claim);
    arrive(server, request("INVITE"));
    await server.clock.advance(180_999);
    expect(statuses(server.takeSent())).toEqual([100]);
    await server.clock.advance(1);
    expect(statuses(server.takeSent())).toEqual([408]);
    expect(server.dispatcher.counters()).toMatchObject({ unansweredRequests: 1 });
    await server.close();
  });

  it("is counted and never answered when it is none, after 65·T1", async () => {
    const server = await TestServer.start(claim);
    arrive(server, request("MESSAGE"));
    await server.clock.advance(32_499);
    expect(server.dispatcher.stats()).toMatchObject({ waitingRequests: 1 });
    await server.clock.advance(1);
    expect(server.dispatcher.stats()).toMatchObject({ waitingRequests: 0, nonInviteServers: 0 });
    expect(statuses(server.takeSent())).toEqual([100]);
    expect(server.dispatcher.counters()).toMatchObject({ unansweredRequests: 1 });
    await server.close();
  });

  it("waits no longer than 64·T1 for the ACK to its final response", async () => {
    const server = await TestServer.start(onRequest("*", (invite) => invite.createResponse(486)));
    expect(arrive(server, request("INVITE"))).toEqual([486]);
    await server.clock.advance(31_999);
    expect(server.dispatcher.stats()).toMatchObject({ inviteServers: 1 });
    await server.clock.advance(1);
    expect(server.dispatcher.stats()).toMatchObject({ inviteServers: 0, transactionBytes: 0 });
    expect(server.dispatcher.counters()).toMatchObject({ unacknowledgedFinalResponses: 1 });
    await server.close();
  });
});

describe("a table without room", () => {
  const own = (method: string, callId = "own"): Request =>
    new Request(method, "sip:192.0.2.9", {
      headers: {
        From: "<sip:alice@192.0.2.1>;tag=1",
        To: "<sip:192.0.2.9>",
        "Call-ID": callId,
        CSeq: `1 ${method}`,
        "Max-Forwards": "70",
      },
    });

  it("refuses new requests with 503, and fails our own", async () => {
    const limits = { transactionBytes: 10_000 };
    const server = await TestServer.start(
      onRequest("*", () => "later"),
      { limits },
    );
    const answers = Array.from({ length: 20 }, () => arrive(server, request("MESSAGE")));
    const taken = answers.findIndex((sent) => sent.includes(503));
    expect(taken).toBeGreaterThan(0);
    expect(answers.slice(taken)).toEqual(Array.from({ length: 20 - taken }, () => [503]));
    const { final } = server.dispatcher.request(own("MESSAGE"));
    await expect(final).rejects.toMatchObject({ code: "SIP_NO_TRANSACTION" });
    expect(server.dispatcher.counters()).toMatchObject({
      refusedForWantOfRoom: 20 - taken,
      refusedTransactions: 1,
      requestsNotSent: 1,
    });
    await server.close();
  });

  it("sends the answer to an INVITE once, where there was room for the INVITE and none for its transaction", async () => {
    // There is room for a small request, and the handler is asked; this one takes more than there is.
    const limits = { transactionBytes: 20_000 };
    const server = await TestServer.start(
      onRequest("INVITE", (invite) => invite.createResponse(486)),
      { limits },
    );
    const large = `${request("INVITE")}\nContent-Length: 20000\n\n${"x".repeat(20_000)}`;
    expect(arrive(server, large)).toEqual([486]);
    await server.clock.advance(32_000);
    expect(server.takeSent()).toEqual([]);
    expect(server.dispatcher.counters()).toMatchObject({
      answeredWithoutTransaction: 1,
      refusedTransactions: 1,
    });
    await server.close();
  });

  it("still lets a CANCEL of ours out", async () => {
    const network = new VirtualNetwork();
    const { clock } = network;
    const caller = new Dispatcher({
      clock,
      legs: [{ listen: network.transport("udp:192.0.2.1:5060") }],
      limits: { transactionBytes: 10_000 },
    });
    const callee = new Dispatcher({
      clock,
      legs: [{ listen: network.transport("udp:192.0.2.9:5060") }],
      receiver: onRequest("INVITE", () => "later"),
    });
    await Promise.all([caller.listen(), callee.listen()]);
    const calls = Array.from({ length: 20 }, (_, call) => {
      const transaction = caller.request(own("INVITE", `${call}`));
      const failed = transaction.final.then(
        ({ status }) => status,
        ({ code }: { code: string }) => code,
      );
      return { transaction, failed };
    });
    await clock.advance(1_000);
    for (const { transaction } of calls) transaction.cancel();
    await clock.advance(1_000);
    const ends = await Promise.all(calls.map(({ failed }) => failed));
    const sent = ends.filter((end) => end === 487).length;
    expect(sent).toBeGreaterThan(0);
    expect(ends.filter((end) => end === "SIP_NO_TRANSACTION")).toHaveLength(20 - sent);
    const cancels = network.log.filter(({ wire }) => wire.startsWith("CANCEL "));
    expect(cancels).toHaveLength(sent);
    expect(caller.counters()).toMatchObject({ requestsNotSent: 20 - sent });
    await Promise.all([caller.close(), callee.close()]);
  });
});

it("64 responses wait for somebody who iterates over them: the oldest are forgotten", async () => {
  const server = await TestServer.start([]);
  const transaction = server.dispatcher.request(
    new Request("INVITE", "sip:192.0.2.9", {
      headers: {
        From: "<sip:alice@192.0.2.1>;tag=1",
        To: "<sip:192.0.2.9>",
        "Call-ID": "own",
        CSeq: "1 INVITE",
        "Max-Forwards": "70",
      },
    }),
  );
  const [invite] = server.takeSent() as readonly Request[];
  for (let count = 1; count <= 70; count += 1) {
    await server.ask((invite as Request).createResponse(180, { reason: `Ringing ${count}` }));
  }
  await server.ask((invite as Request).createResponse(486));
  expect((await transaction.final).status).toBe(486);
  await server.clock.advance(40_000);
  const reasons: string[] = [];
  for await (const response of transaction) {
    expect(response).toBeInstanceOf(Response);
    reasons.push(response.reason);
  }
  expect(reasons).toHaveLength(64);
  expect([reasons[0], reasons.at(-1)]).toEqual(["Ringing 8", "Busy Here"]);
  await server.close();
});
