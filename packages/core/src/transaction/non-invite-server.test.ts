import { describe, expect, it } from "vitest";
import type { Peer, Protocol } from "../arrival.ts";
import { Request } from "../message/request.ts";
import { idle } from "../test-kit/idle.ts";
import { RecordingLeg } from "../testing/recording-leg.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { NonInviteServer } from "./non-invite-server.ts";
import { TransactionTable } from "./table.ts";

const MESSAGE = `MESSAGE sip:bob@biloxi.example SIP/2.0
Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKmsg
Max-Forwards: 70
To: <sip:bob@biloxi.example>
From: <sip:alice@atlanta.example>;tag=1
Call-ID: msg@198.51.100.7
CSeq: 1 MESSAGE
Content-Length: 0

`;

function setUp(protocol: Protocol = "udp") {
  const clock = new VirtualClock();
  const leg = new RecordingLeg(protocol, clock);
  const table = new TransactionTable({ clock, count: () => undefined });
  const told: string[] = [];
  const peer: Peer = { protocol, address: "198.51.100.7", port: 5060 };
  const outlet = { leg, peer };
  const request = Request.parse(MESSAGE);
  const server = table.createServer(request, outlet, {
    ended: () => told.push(`${clock.now()} ended`),
    unacknowledged: () => told.push(`${clock.now()} unacknowledged`),
  }) as NonInviteServer;
  /** The request comes again; tells whether it is known. */
  const again = (): boolean => {
    const found = table.findServer(Request.parse(MESSAGE));
    found?.retransmitted();
    return found !== undefined;
  };
  return { clock, leg, table, told, peer, outlet, request, server, again };
}

describe("non-INVITE server transaction, RFC 3261 §17.2.2", () => {
  it("discards retransmissions in Trying", () => {
    const { leg, server, request, again } = setUp();
    expect(server.state).toBe("trying");
    expect(server.request).toBe(request);
    expect(again()).toBe(true);
    expect(leg.sent).toEqual([]);
  });

  it("sends the final response, and again for each retransmission until Timer J", async () => {
    const { clock, leg, table, told, server, request, peer, again } = setUp();
    await clock.advance(100);
    const response = request.createResponse(200);
    expect(server.respond(response)).toBe(true);
    expect(server.state).toBe("completed");
    expect(server.request).toBeUndefined();
    expect(told).toEqual(["100 ended"]);
    expect(leg.sent).toEqual([{ at: 100, wire: response.toWire(), to: peer }]);
    await clock.advance(400);
    expect(again()).toBe(true);
    await clock.advance(31_599);
    expect(again()).toBe(true);
    expect(leg.timeline()).toEqual(["100 200", "500 200", "32099 200"]);
    expect(new Set(leg.sent.map(({ wire }) => wire)).size).toBe(1);
    expect(table.stats.nonInviteServers).toBe(1);
    await clock.advance(1);
    expect(again()).toBe(false);
    expect(table.stats).toEqual(idle);
    expect(clock.pending).toBe(0);
    expect(told).toEqual(["100 ended"]);
  });

  it("has no Timer J on a reliable transport", () => {
    const { leg, table, told, server, request, again } = setUp("tcp");
    server.respond(request.createResponse(200));
    expect(leg.timeline()).toEqual(["0 200"]);
    expect(told).toEqual(["0 ended"]);
    expect(again()).toBe(false);
    expect(table.stats).toEqual(idle);
  });

  it("refuses a second final response", () => {
    const { leg, server, request, again } = setUp();
    expect(server.respond(request.createResponse(404))).toBe(true);
    expect(server.respond(request.createResponse(200))).toBe(false);
    expect(server.respond(request.createResponse(100))).toBe(false);
    again();
    expect(leg.timeline()).toEqual(["0 404", "0 404"]);
  });

  it("is gone when it is abandoned", () => {
    const { leg, table, told, server, request, again } = setUp();
    server.abandon();
    server.abandon();
    expect(server.state).toBe("terminated");
    expect(server.respond(request.createResponse(200))).toBe(false);
    expect(told).toEqual(["0 ended"]);
    expect(leg.sent).toEqual([]);
    expect(again()).toBe(false);
    expect(table.stats).toEqual(idle);
  });
});

describe("non-INVITE server transaction, RFC 4320", () => {
  it("sends no 100 over an unreliable transport before Timer E reaches T2", async () => {
    const { clock, leg, table, server, request, again } = setUp();
    expect(table.untilT2).toBe(3500);
    await clock.advance(3499);
    server.trying();
    expect(server.respond(request.createResponse(100))).toBe(false);
    expect(server.state).toBe("trying");
    expect(leg.sent).toEqual([]);
    await clock.advance(1);
    server.trying();
    expect(server.state).toBe("proceeding");
    server.trying();
    await clock.advance(4000);
    again();
    expect(leg.timeline()).toEqual(["3500 100", "7500 100"]);
    server.respond(request.createResponse(202));
    again();
    expect(leg.timeline().slice(2)).toEqual(["7500 202", "7500 202"]);
    server.trying();
    expect(leg.sent).toHaveLength(4);
  });

  it("may send a 100 over a reliable transport at any time", () => {
    const { leg, server, request } = setUp("tcp");
    expect(server.respond(request.createResponse(100))).toBe(true);
    expect(leg.timeline()).toEqual(["0 100"]);
  });

  it("counts T1 and T2 for when a 100 is due", () => {
    const clock = new VirtualClock();
    const due = (t1: number, t2: number) =>
      new TransactionTable({ clock, t1, t2, count: () => undefined }).untilT2;
    // Timer E is set to 100, 200, 400 and then to T2.
    expect(due(100, 800)).toBe(700);
    expect(due(100, 700)).toBe(700);
    expect(due(100, 100)).toBe(0);
  });

  it.each(["udp", "tcp"] as const)(
    "sends no provisional response but 100 over %s",
    async (protocol) => {
      const { clock, leg, server, request } = setUp(protocol);
      await clock.advance(5000);
      for (const status of [101, 180, 183, 199]) {
        expect(server.respond(request.createResponse(status))).toBe(false);
      }
      expect(leg.sent).toEqual([]);
      expect(server.state).toBe("trying");
    },
  );

  it("never sends a 408: the transaction completes in silence", async () => {
    const { clock, leg, table, told, server, request, again } = setUp();
    expect(server.respond(request.createResponse(408))).toBe(false);
    expect(server.state).toBe("completed");
    expect(told).toEqual(["0 ended"]);
    // A retransmission is still known, so that it doesn't run again.
    expect(again()).toBe(true);
    expect(server.respond(request.createResponse(200))).toBe(false);
    expect(leg.sent).toEqual([]);
    await clock.advance(32_000);
    expect(again()).toBe(false);
    expect(table.stats).toEqual(idle);
  });
});

describe("a non-INVITE that is answered at once", () => {
  it("leaves only its answer, for Timer J", async () => {
    const clock = new VirtualClock();
    const leg = new RecordingLeg("udp", clock);
    const table = new TransactionTable({ clock, count: () => undefined });
    const peer: Peer = { protocol: "udp", address: "198.51.100.7", port: 5060 };
    const request = Request.parse(MESSAGE);
    expect(table.findServer(request)).toBeUndefined();
    const wire = request.createResponse(200).toWire();
    table.recordCompleted(request, wire, { leg, peer });
    expect(table.pending).toBe(0);
    expect(table.stats.nonInviteServers).toBe(1);
    expect(table.stats.transactionBytes).toBeGreaterThan(wire.length);
    const found = table.findServer(Request.parse(MESSAGE));
    expect(found?.state).toBe("completed");
    found?.retransmitted();
    expect(leg.sent).toEqual([{ at: 0, wire, to: peer }]);
    await clock.advance(31_999);
    expect(table.findServer(Request.parse(MESSAGE))).toBeDefined();
    await clock.advance(1);
    expect(table.findServer(Request.parse(MESSAGE))).toBeUndefined();
    expect(table.stats).toEqual(idle);
    expect(clock.pending).toBe(0);
  });

  it("leaves nothing on a reliable transport", () => {
    const clock = new VirtualClock();
    const leg = new RecordingLeg("tls", clock);
    const table = new TransactionTable({ clock, count: () => undefined });
    const request = Request.parse(MESSAGE);
    const peer: Peer = { protocol: "tls", address: "198.51.100.7", port: 5060 };
    table.recordCompleted(request, request.createResponse(200).toWire(), { leg, peer });
    expect(table.findServer(request)).toBeUndefined();
    expect(table.stats).toEqual(idle);
    expect(clock.pending).toBe(0);
  });

  it("leaves the first of two answers under one key", async () => {
    const clock = new VirtualClock();
    const leg = new RecordingLeg("udp", clock);
    const table = new TransactionTable({ clock, count: () => undefined });
    const request = Request.parse(MESSAGE);
    const outlet = { leg, peer: { protocol: "udp", address: "198.51.100.7", port: 5060 } } as const;
    table.recordCompleted(request, request.createResponse(200).toWire(), outlet);
    await clock.advance(1000);
    table.recordCompleted(request, request.createResponse(404).toWire(), outlet);
    expect(table.stats.nonInviteServers).toBe(1);
    table.findServer(request)?.retransmitted();
    expect(leg.sent.splice(0).map(({ wire }) => wire)).toEqual([
      request.createResponse(200).toWire(),
    ]);
    await clock.advance(31_000);
    table.findServer(request)?.retransmitted();
    expect(leg.timeline()).toEqual([]);
    expect(table.stats).toEqual(idle);
  });
});
