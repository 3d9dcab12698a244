import { afterEach, describe, expect, it } from "vitest";
import type { Peer } from "../arrival.ts";
import type { AnyHandler } from "../chain/handler.ts";
import { onRequest } from "../chain/on-request.ts";
import { Dispatcher } from "../dispatcher/dispatcher.ts";
import type { EventChannel, TraceEvent } from "../event-channel.ts";
import { Request } from "../message/request.ts";
import { VirtualNetwork } from "../testing/virtual-network.ts";
import { type TransactionEvent, transactionChannel } from "../transaction/transaction-channel.ts";
import { ladderText } from "./ladder.ts";
import { malformedChannel } from "./malformed-channel.ts";
import { packetChannel } from "./packet-channel.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** What is published from now on until the test ends. */
function listen<Event extends TraceEvent>(channel: EventChannel<Event>): Event[] {
  const events: Event[] = [];
  const listener = (event: Event): void => {
    events.push(event);
  };
  channel.subscribe(listener);
  closers.push(() => channel.unsubscribe(listener));
  return events;
}

/** A phone that calls, and a server, on one network. */
async function start(receiver: AnyHandler, loses: (wire: string) => boolean = () => false) {
  const network = new VirtualNetwork({ loss: ({ wire }) => loses(wire) });
  const { clock } = network;
  const make = async (node: string, host: string, handler?: AnyHandler): Promise<Dispatcher> => {
    const dispatcher = new Dispatcher({
      clock,
      node,
      legs: [{ listen: network.transport(`udp:${host}:5060`) }],
      onError: () => undefined,
      ...(handler && { receiver: handler }),
    });
    await dispatcher.listen();
    closers.push(() => dispatcher.close());
    return dispatcher;
  };
  const server = await make("server", "192.0.2.1", receiver);
  const phone = await make("phone", "192.0.2.2");
  return { clock, network, server, phone };
}

function request(method: string): Request {
  return new Request(method, "sip:bob@192.0.2.1", {
    headers: {
      From: "<sip:alice@example.com>;tag=a",
      To: "<sip:bob@192.0.2.1>",
      "Call-ID": `call-${method}`,
      CSeq: `1 ${method}`,
      "Max-Forwards": "70",
    },
  });
}

const busy = onRequest(["INVITE"], (invite) => invite.createResponse(486));
const later = onRequest(["INVITE", "OPTIONS"], () => "later");

describe("sipkit:packet", () => {
  async function packetsOf(node: string, run: () => Promise<unknown>): Promise<readonly string[]> {
    const events = listen(packetChannel);
    await run();
    return events
      .filter((event) => event.node === node)
      .map(({ at, direction, packet, retransmission }) => {
        const text = `${at} ${direction} ${ladderText(packet)}`;
        return retransmission ? `${text} again` : text;
      });
  }

  it("shows the ACK to a refusal, which the transaction sends by itself, on both sides", async () => {
    const { clock, phone } = await start(busy);
    const run = async (): Promise<void> => {
      void phone.request(request("INVITE")).final;
      await clock.advance(10);
    };
    expect(await packetsOf("phone", run)).toEqual([
      "0 out INVITE (1)",
      "2 in 486 Busy Here (1 INVITE)",
      "2 out ACK (1)",
    ]);
  });

  it("shows on the other side the same", async () => {
    const { clock, phone } = await start(busy);
    const run = async (): Promise<void> => {
      void phone.request(request("INVITE")).final;
      await clock.advance(10);
    };
    expect(await packetsOf("server", run)).toEqual([
      "1 in INVITE (1)",
      "1 out 486 Busy Here (1 INVITE)",
      "3 in ACK (1)",
    ]);
  });

  it("marks what is sent again, by a timer or for a retransmission", async () => {
    let lost = 0;
    const { clock, phone } = await start(
      onRequest("INFO", (info) => info.createResponse(200)),
      (wire) => wire.startsWith("SIP/2.0 200") && lost++ === 0,
    );
    const run = async (): Promise<void> => {
      void phone.request(request("INFO")).final;
      await clock.advance(1000);
    };
    const phoneSide = await packetsOf("phone", run);
    expect(phoneSide).toEqual([
      "0 out INFO (1)",
      "500 out INFO (1) again",
      "502 in 200 OK (1 INFO)",
    ]);
  });

  it("marks an answer that is given again, and the request that asks for it", async () => {
    let lost = 0;
    const { clock, phone } = await start(
      onRequest("INFO", (info) => info.createResponse(200)),
      (wire) => wire.startsWith("SIP/2.0 200") && lost++ === 0,
    );
    const run = async (): Promise<void> => {
      void phone.request(request("INFO")).final;
      await clock.advance(1000);
    };
    expect(await packetsOf("server", run)).toEqual([
      "1 in INFO (1)",
      "1 out 200 OK (1 INFO)",
      "501 in INFO (1) again",
      "501 out 200 OK (1 INFO) again",
    ]);
  });

  it("marks a 2xx to an INVITE that comes again, on both sides, and none of another dialog", async () => {
    const answer = (invite: Request, tag: string): void => {
      const response = invite.createResponse(200);
      response.headers.set("To", `<sip:bob@192.0.2.1>;tag=${tag}`);
      server.deliver(response);
    };
    const { clock, phone, server } = await start(
      onRequest("INVITE", (invite) => {
        for (const tag of ["one", "two", "two"]) answer(invite, tag);
        return "later";
      }),
    );
    const events = listen(packetChannel);
    const { final } = phone.request(request("INVITE"));
    await clock.advance(10);
    expect((await final).to.tag).toBe("one");
    const told = (node: string): unknown =>
      events
        .filter(({ node: its, packet }) => its === node && !packet.isRequest)
        .map(({ packet, retransmission }) => `${packet.to.tag} ${retransmission}`);
    expect(told("server")).toEqual(["one false", "two false", "two true"]);
    expect(told("phone")).toEqual(["one false", "two false", "two true"]);
  });

  it("shows the 100 and the CANCEL that nobody asked for by hand", async () => {
    const { clock, phone } = await start(later);
    const run = async (): Promise<void> => {
      const call = phone.request(request("INVITE"));
      call.final.catch(() => undefined);
      await clock.advance(300);
      call.cancel();
      await clock.advance(100);
    };
    expect(await packetsOf("phone", run)).toEqual([
      "0 out INVITE (1)",
      "202 in 100 Trying (1 INVITE)",
      "300 out CANCEL (1)",
      "302 in 200 OK (1 CANCEL)",
      "302 in 487 Request Terminated (1 INVITE)",
      "302 out ACK (1)",
    ]);
  });

  it("says how long a message is", async () => {
    const { clock, network, phone } = await start(busy);
    const events = listen(packetChannel);
    void phone.request(request("INVITE")).final;
    await clock.advance(10);
    const sizes = network.log.map(({ wire }) => wire.length);
    expect(events.filter(({ direction }) => direction === "in").map(({ size }) => size)).toEqual(
      sizes,
    );
    expect(events.filter(({ direction }) => direction === "out").map(({ size }) => size)).toEqual(
      sizes,
    );
  });
});

describe("sipkit:malformed", () => {
  it("shows bytes that are no message, whence they came, and the answer to them", async () => {
    const { clock, network } = await start(busy);
    const events = listen(malformedChannel);
    const packets = listen(packetChannel);
    const stranger = network.transport("udp:192.0.2.66:5060");
    await stranger.listen({
      message: () => undefined,
      malformed: () => undefined,
      failed: () => undefined,
      closed: () => undefined,
    });
    const to: Peer = { protocol: "udp", address: "192.0.2.1", port: 5060 };
    const wire = request("OPTIONS").toWire().replace("CSeq: 1 OPTIONS", "CSeq: x OPTIONS");
    const via = "Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bK1";
    stranger.send(wire.replace("\r\n", `\r\n${via}\r\n`), to);
    await clock.advance(10);
    expect(events).toMatchObject([
      { at: 1, node: "server", error: { status: 400 }, peer: { address: "192.0.2.66" } },
    ]);
    expect(Buffer.from(events[0]?.bytes ?? []).toString()).toContain("CSeq: x OPTIONS");
    expect(packets.map(({ direction, packet }) => `${direction} ${ladderText(packet)}`)).toEqual([
      "out 400 Malformed CSeq: its number (x OPTIONS)",
    ]);
  });
});

describe("sipkit:transaction", () => {
  function texts(events: readonly TransactionEvent[]): readonly string[] {
    return events.map((event) => {
      const text = `${event.at} ${event.node} ${event.role} ${event.method}`;
      if (event.phase === "started") return `${text} started`;
      return `${text} ${event.outcome} ${event.status ?? "-"} after ${event.duration}`;
    });
  }

  it("tells of both sides of a request, also where its answer leaves no state", async () => {
    const { clock, phone } = await start(
      onRequest("OPTIONS", (options) => options.createResponse(404, { stateless: true })),
    );
    const events = listen(transactionChannel);
    void phone.request(request("OPTIONS")).final;
    await clock.advance(10);
    expect(texts(events)).toEqual([
      "0 phone client OPTIONS started",
      "1 server server OPTIONS started",
      "1 server server OPTIONS answered 404 after 0",
      "2 phone client OPTIONS answered 404 after 2",
    ]);
    expect(events[0]).toMatchObject({ callId: "call-OPTIONS", peer: { address: "192.0.2.1" } });
    expect(new Set(events.map(({ branch }) => branch)).size).toBe(1);
  });

  it("tells of a call that is cancelled, and of its CANCEL", async () => {
    const { clock, phone } = await start(later);
    const events = listen(transactionChannel);
    const call = phone.request(request("INVITE"));
    await clock.advance(300);
    call.cancel();
    await clock.advance(100);
    expect(texts(events)).toEqual([
      "0 phone client INVITE started",
      "1 server server INVITE started",
      "300 phone client CANCEL started",
      "301 server server CANCEL started",
      "301 server server CANCEL answered 200 after 0",
      "301 server server INVITE cancelled 487 after 300",
      "302 phone client CANCEL answered 200 after 2",
      "302 phone client INVITE cancelled 487 after 302",
    ]);
  });

  it("tells of an INVITE that is accepted once, though its 2xx comes again", async () => {
    const { clock, phone } = await start(
      onRequest("INVITE", (invite) => invite.createResponse(200)),
    );
    const events = listen(transactionChannel);
    void phone.request(request("INVITE")).final;
    await clock.advance(40_000);
    expect(texts(events).filter((text) => !text.endsWith("started"))).toEqual([
      "1 server server INVITE answered 200 after 0",
      "2 phone client INVITE answered 200 after 2",
    ]);
  });

  it("tells of a time-out: of a client without an answer, and of a handler that never gives one", async () => {
    const { clock, phone } = await start(later);
    const events = listen(transactionChannel);
    phone.request(request("OPTIONS")).final.catch(() => undefined);
    await clock.advance(70_000);
    const outcomes = events.flatMap((event) =>
      event.phase === "ended" ? [`${event.node} ${event.outcome} ${event.status ?? "-"}`] : [],
    );
    expect(outcomes).toEqual(["phone timeout -", "server timeout -"]);
  });

  it("tells of a 408 that isn't sent as the time-out that it is", async () => {
    const { clock, phone, server } = await start((packet) => {
      if (packet.isRequest) server.deliver(packet.createResponse(408));
      return "later";
    });
    const events = listen(transactionChannel);
    const packets = listen(packetChannel);
    phone.request(request("OPTIONS")).final.catch(() => undefined);
    await clock.advance(10);
    expect(texts(events)).toContain("1 server server OPTIONS timeout - after 0");
    expect(new Set(packets.map(({ packet }) => ladderText(packet)))).toEqual(
      new Set(["OPTIONS (1)"]),
    );
  });

  it("tells of what is dropped, and of what a closing server leaves", async () => {
    const { clock, phone, server } = await start((packet) => {
      return packet.method === "INFO" ? "drop" : "later";
    });
    const events = listen(transactionChannel);
    for (const method of ["INFO", "INVITE"]) {
      phone.request(request(method)).final.catch(() => undefined);
    }
    await clock.advance(10);
    await server.close();
    await phone.close();
    expect(texts(events).filter((text) => !text.endsWith("started"))).toEqual([
      "1 server server INFO dropped - after 0",
      "10 server server INVITE closed - after 9",
      "10 phone client INFO closed - after 10",
      "10 phone client INVITE closed - after 10",
    ]);
  });

  it("tells nothing of what began before somebody listened", async () => {
    const { clock, phone } = await start(busy);
    void phone.request(request("INVITE")).final;
    const events = listen(transactionChannel);
    await clock.advance(10);
    expect(texts(events)).toEqual([
      "1 server server INVITE started",
      "1 server server INVITE answered 486 after 0",
    ]);
  });
});
