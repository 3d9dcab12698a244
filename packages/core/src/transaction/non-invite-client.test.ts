import { describe, expect, it } from "vitest";
import type { Peer, Protocol } from "../arrival.ts";
import { TransportError } from "../errors.ts";
import { Request } from "../message/request.ts";
import { Response } from "../message/response.ts";
import { idle } from "../test-kit/idle.ts";
import { RecordingLeg } from "../testing/recording-leg.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { ClientMachine } from "./client-machine.ts";
import { TransactionTable } from "./table.ts";

const OPTIONS = `OPTIONS sip:bob@biloxi.example SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKopt
Max-Forwards: 70
To: <sip:bob@biloxi.example>
From: <sip:alice@atlanta.example>;tag=1
Call-ID: opt@192.0.2.1
CSeq: 7 OPTIONS
Content-Length: 0

`;

function setUp(protocol: Protocol = "udp", times: { t1?: number; t2?: number; t4?: number } = {}) {
  const clock = new VirtualClock();
  const leg = new RecordingLeg(protocol, clock);
  const table = new TransactionTable({ clock, ...times, count: () => undefined });
  const told: string[] = [];
  const peer: Peer = { protocol, address: "203.0.113.5", port: 5060 };
  const request = Request.parse(OPTIONS);
  const client = table.createClient(
    request,
    { leg, peer },
    {
      response: (response) => told.push(`${clock.now()} ${response.status}`),
      failed: (error) => told.push(`${clock.now()} ${error.code}`),
      ended: () => told.push(`${clock.now()} ended`),
    },
  ) as ClientMachine;
  const receive = (status: number): boolean => {
    const response = Response.parse(request.createResponse(status).toWire());
    const found = table.findClient(response);
    found?.receive(response);
    return found !== undefined;
  };
  return { clock, leg, table, told, peer, request, client, receive };
}

describe("non-INVITE client transaction, RFC 3261 §17.1.2", () => {
  it("repeats the request by Timer E at intervals that double up to T2, until Timer F", async () => {
    const { clock, leg, table, told, client } = setUp();
    const wire = leg.sent[0]?.wire;
    await clock.advance(31_999);
    expect(leg.sent.map(({ at }) => at)).toEqual([
      0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(leg.sent.every((each) => each.wire === wire)).toBe(true);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(["32000 SIP_TIMEOUT", "32000 ended"]);
    expect(client.state).toBe("terminated");
    expect(table.stats).toEqual(idle);
    await clock.advance(60_000);
    expect(leg.sent).toHaveLength(11);
    expect(clock.pending).toBe(0);
  });

  it("scales with T1 and T2", async () => {
    const { clock, leg, told } = setUp("udp", { t1: 100, t2: 350 });
    await clock.advance(1100);
    expect(leg.sent.map(({ at }) => at)).toEqual([0, 100, 300, 650, 1000]);
    await clock.advance(5300);
    expect(told[0]).toBe("6400 SIP_TIMEOUT");
  });

  it("has no Timer E on a reliable transport, but Timer F", async () => {
    const { clock, leg, told } = setUp("tcp");
    await clock.advance(32_000);
    expect(leg.timeline()).toEqual(["0 OPTIONS"]);
    expect(told).toEqual(["32000 SIP_TIMEOUT", "32000 ended"]);
  });

  it("goes on at intervals of T2 after a provisional response, and fails by Timer F", async () => {
    const { clock, leg, told, client, receive } = setUp();
    await clock.advance(600);
    receive(100);
    expect(client.state).toBe("proceeding");
    await clock.advance(31_399);
    // The timer that runs when the 100 comes ends at its time, 1.5 s.
    expect(leg.sent.map(({ at }) => at)).toEqual([
      0, 500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500,
    ]);
    await clock.advance(1);
    expect(told).toEqual(["600 100", "32000 SIP_TIMEOUT", "32000 ended"]);
  });

  it("passes the final response up once and absorbs repetitions until Timer K", async () => {
    const { clock, leg, table, told, client, receive } = setUp();
    await clock.advance(700);
    receive(183);
    receive(200);
    expect(client.state).toBe("completed");
    expect(client.pending).toBe(false);
    expect(client.request).toBeUndefined();
    expect(told).toEqual(["700 183", "700 200", "700 ended"]);
    await clock.advance(4999);
    expect(receive(200)).toBe(true);
    expect(receive(404)).toBe(true);
    expect(table.stats.nonInviteClients).toBe(1);
    await clock.advance(1);
    expect(client.state).toBe("terminated");
    expect(receive(200)).toBe(false);
    expect(told).toHaveLength(3);
    expect(leg.timeline()).toEqual(["0 OPTIONS", "500 OPTIONS"]);
    expect(table.stats).toEqual(idle);
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
  });

  it.each([200, 302, 404, 503, 603])("takes %i as final while Trying", (status) => {
    const { told, client, receive } = setUp();
    receive(status);
    expect(told).toEqual([`0 ${status}`, "0 ended"]);
    expect(client.state).toBe("completed");
  });

  it("has no Timer K on a reliable transport", () => {
    const { table, told, client, receive } = setUp("tcp");
    receive(200);
    expect(client.state).toBe("terminated");
    expect(told).toEqual(["0 200", "0 ended"]);
    expect(table.stats).toEqual(idle);
  });

  it("can't be cancelled", async () => {
    const { clock, leg, client, receive } = setUp();
    receive(100);
    client.cancel();
    await clock.advance(1000);
    expect(leg.timeline()).toEqual(["0 OPTIONS", "500 OPTIONS"]);
  });

  it("fails at once when its peer does, and not after its final response", () => {
    const first = setUp();
    first.table.peerFailed(first.peer, new TransportError("no route"));
    expect(first.told).toEqual(["0 SIP_TRANSPORT", "0 ended"]);
    expect(first.table.stats).toEqual(idle);
    const second = setUp();
    second.receive(200);
    second.table.peerFailed(second.peer, new TransportError("no route"));
    expect(second.told).toEqual(["0 200", "0 ended"]);
    expect(second.client.state).toBe("completed");
  });
});
