import { describe, expect, it } from "vitest";
import type { Peer, Protocol } from "../arrival.ts";
import { TransportError } from "../errors.ts";
import { Request } from "../message/request.ts";
import { Response } from "../message/response.ts";
import { RecordingLeg } from "../testing/recording-leg.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { ClientMachine } from "./client-machine.ts";
import { TransactionTable } from "./table.ts";

const INVITE = `INVITE sip:bob@biloxi.example SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnashds8
Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKbefore
Max-Forwards: 70
Route: <sip:edge.biloxi.example;lr>
To: Bob <sip:bob@biloxi.example>
From: Alice <sip:alice@atlanta.example>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 INVITE
Require: 100rel
Content-Length: 0

`;

function setUp(protocol: Protocol = "udp") {
  const clock = new VirtualClock();
  const leg = new RecordingLeg(protocol, clock);
  const table = new TransactionTable({ clock, count: () => undefined });
  const told: string[] = [];
  const peer: Peer = { protocol, address: "203.0.113.5", port: 5060 };
  const request = Request.parse(INVITE);
  const client = table.createClient(
    request,
    { leg, peer },
    {
      response: (response) => told.push(`${clock.now()} ${response.status} ${response.to.tag}`),
      failed: (error) => told.push(`${clock.now()} ${error.code}`),
      ended: () => told.push(`${clock.now()} ended`),
    },
  ) as ClientMachine;
  const answer = (status: number, tag = "b", method = "INVITE"): Response =>
    Response.parse(
      `SIP/2.0 ${status} Whatever
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnashds8;received=192.0.2.1
Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKbefore
To: Bob <sip:bob@biloxi.example>;tag=${tag}
From: Alice <sip:alice@atlanta.example>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 ${method}
Content-Length: 0

`,
    );
  /** Gives a response to its transaction, and tells whether it has one. */
  const receive = (status: number, tag?: string, method?: string): boolean => {
    const response = answer(status, tag, method);
    const found = table.findClient(response);
    found?.receive(response);
    return found !== undefined;
  };
  return { clock, leg, table, told, peer, request, client, receive };
}

const idle = {
  inviteServers: 0,
  nonInviteServers: 0,
  inviteClients: 0,
  nonInviteClients: 0,
  transactionBytes: 0,
};

describe("INVITE client transaction, RFC 3261 §17.1.1", () => {
  it("sends the INVITE at once, to its outlet", () => {
    const { leg, client, request, peer } = setUp();
    expect(leg.sent).toEqual([{ at: 0, wire: request.toWire(), to: peer }]);
    expect(client.state).toBe("calling");
    expect(client.request).toBe(request);
  });

  it("repeats the same bytes by Timer A at doubling intervals until Timer B fails it", async () => {
    const { clock, leg, table, told, client } = setUp();
    const wire = leg.sent[0]?.wire;
    await clock.advance(31_999);
    expect(leg.timeline()).toEqual([
      "0 INVITE",
      "500 INVITE",
      "1500 INVITE",
      "3500 INVITE",
      "7500 INVITE",
      "15500 INVITE",
      "31500 INVITE",
    ]);
    expect(leg.sent.every((each) => each.wire === wire)).toBe(true);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(["32000 SIP_TIMEOUT", "32000 ended"]);
    expect(client.state).toBe("terminated");
    expect(table.stats).toEqual(idle);
    await clock.advance(60_000);
    expect(leg.sent).toHaveLength(7);
    expect(clock.pending).toBe(0);
  });

  it("doesn't repeat it over a reliable transport, where Timer B fails it too", async () => {
    const { clock, leg, told } = setUp("tcp");
    await clock.advance(32_000);
    expect(leg.timeline()).toEqual(["0 INVITE"]);
    expect(told).toEqual(["32000 SIP_TIMEOUT", "32000 ended"]);
  });

  it("stops repeating on a provisional response, passes each up, and waits without end", async () => {
    const { clock, leg, told, client, receive } = setUp();
    await clock.advance(600);
    receive(100);
    expect(client.state).toBe("proceeding");
    await clock.advance(100);
    receive(180);
    receive(180);
    await clock.advance(1_000_000);
    expect(leg.timeline()).toEqual(["0 INVITE", "500 INVITE"]);
    expect(told).toEqual(["600 100 b", "700 180 b", "700 180 b"]);
    expect(client.state).toBe("proceeding");
    expect(client.pending).toBe(true);
  });

  it.each(["udp", "tcp"] as const)("acknowledges a non-2xx itself over %s", (protocol) => {
    const { leg, peer, told, receive } = setUp(protocol);
    receive(180);
    receive(486, "c");
    expect(told).toEqual(["0 180 b", "0 486 c", "0 ended"]);
    expect(leg.timeline()).toEqual(["0 INVITE", "0 ACK"]);
    expect(leg.sent[1]?.to).toBe(peer);
    const ack = Request.parse(leg.sent[1]?.wire ?? "");
    expect(ack.uri).toBe("sip:bob@biloxi.example");
    expect(ack.headers.getAll("via")).toEqual(["SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnashds8"]);
    expect(ack.headers.get("cseq")).toBe("314159 ACK");
    expect(ack.headers.get("to")).toBe("Bob <sip:bob@biloxi.example>;tag=c");
    expect(ack.headers.get("from")).toBe("Alice <sip:alice@atlanta.example>;tag=1928301774");
    expect(ack.headers.get("route")).toBe("<sip:edge.biloxi.example;lr>");
    expect(ack.callId).toBe("a84b4c76e66710");
  });

  it("sends the ACK again for each repeated final response until Timer D", async () => {
    const { clock, leg, table, told, client, receive } = setUp();
    await clock.advance(100);
    receive(404);
    expect(client.state).toBe("completed");
    expect(client.pending).toBe(false);
    expect(client.request).toBeUndefined();
    await clock.advance(500);
    expect(receive(404)).toBe(true);
    await clock.advance(1000);
    expect(receive(404)).toBe(true);
    // A provisional or 2xx that comes late changes nothing.
    receive(180);
    receive(200);
    expect(leg.timeline()).toEqual(["0 INVITE", "100 ACK", "600 ACK", "1600 ACK"]);
    expect(leg.sent[3]?.wire).toBe(leg.sent[1]?.wire);
    expect(told).toEqual(["100 404 b", "100 ended"]);
    await clock.advance(32_100 - 1600 - 1);
    expect(table.stats.inviteClients).toBe(1);
    await clock.advance(1);
    expect(client.state).toBe("terminated");
    expect(table.stats).toEqual(idle);
    expect(receive(404)).toBe(false);
    expect(leg.sent).toHaveLength(4);
  });

  it("has no Timer D on a reliable transport", () => {
    const { table, client, receive } = setUp("tcp");
    receive(404);
    expect(client.state).toBe("terminated");
    expect(table.stats).toEqual(idle);
  });

  it("keeps Timer D at 32 s when T1 is shorter", async () => {
    const clock = new VirtualClock();
    const leg = new RecordingLeg("udp", clock);
    const table = new TransactionTable({ clock, t1: 10, count: () => undefined });
    const request = Request.parse(INVITE);
    const peer: Peer = { protocol: "udp", address: "203.0.113.5", port: 5060 };
    const user = { response: () => undefined, failed: () => undefined };
    const client = table.createClient(request, { leg, peer }, user);
    client?.receive(request.createResponse(486));
    await clock.advance(31_999);
    expect(client?.state).toBe("completed");
    await clock.advance(1);
    expect(client?.state).toBe("terminated");
  });

  it("ignores responses with another method or branch", () => {
    const { told, receive, table } = setUp();
    expect(receive(200, "b", "OPTIONS")).toBe(false);
    const other = Response.parse(
      "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKNASHDS8\nTo: <sip:b@x>;tag=1\nFrom: <sip:a@x>;tag=1\nCall-ID: a84b4c76e66710\nCSeq: 314159 INVITE\n\n",
    );
    expect(table.findClient(other)).toBeUndefined();
    expect(told).toEqual([]);
  });
});

describe("INVITE client transaction, Accepted state of RFC 6026 §7.2", () => {
  it.each(["udp", "tcp"] as const)(
    "passes every 2xx up for 64·T1 over %s and sends no ACK",
    async (protocol) => {
      const { clock, leg, table, told, client, receive } = setUp(protocol);
      receive(180);
      await clock.advance(3000);
      receive(200, "b");
      expect(client.state).toBe("accepted");
      expect(client.pending).toBe(false);
      await clock.advance(500);
      receive(200, "b");
      receive(200, "fork");
      receive(183, "late");
      receive(486, "late");
      await clock.advance(31_499);
      receive(200, "last");
      await clock.advance(1);
      expect(client.state).toBe("terminated");
      expect(receive(200, "after")).toBe(false);
      expect(told).toEqual([
        "0 180 b",
        "3000 200 b",
        "3500 200 b",
        "3500 200 fork",
        "34999 200 last",
        "35000 ended",
      ]);
      expect(leg.timeline()).toEqual(["0 INVITE"]);
      expect(table.stats).toEqual(idle);
    },
  );

  it("takes a 2xx while Calling, and stops Timers A and B", async () => {
    const { clock, leg, told, client, receive } = setUp();
    await clock.advance(499);
    receive(200);
    await clock.advance(10_000);
    expect(client.state).toBe("accepted");
    expect(leg.timeline()).toEqual(["0 INVITE"]);
    await clock.advance(22_000);
    expect(told).toEqual(["499 200 b", "32499 ended"]);
  });

  it("stays when the peer fails: nothing more is sent there", () => {
    const { table, told, peer, client, receive } = setUp();
    receive(200);
    table.peerFailed(peer, new TransportError("gone"));
    expect(client.state).toBe("accepted");
    expect(told).toEqual(["0 200 b"]);
  });
});

describe("cancelling an INVITE, RFC 3261 §9.1", () => {
  it("waits for a provisional response, then sends a CANCEL in a transaction of its own", async () => {
    const { clock, leg, peer, table, told, client, receive } = setUp();
    client.cancel();
    await clock.advance(600);
    expect(leg.timeline()).toEqual(["0 INVITE", "500 INVITE"]);
    receive(100);
    expect(leg.timeline()).toEqual(["0 INVITE", "500 INVITE", "600 CANCEL"]);
    expect(leg.sent[2]?.to).toBe(peer);
    expect(table.stats.nonInviteClients).toBe(1);
    const cancel = Request.parse(leg.sent[2]?.wire ?? "");
    expect(cancel.uri).toBe("sip:bob@biloxi.example");
    expect(cancel.headers.getAll("via")).toEqual([
      "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnashds8",
    ]);
    expect(cancel.headers.get("cseq")).toBe("314159 CANCEL");
    expect(cancel.headers.get("to")).toBe("Bob <sip:bob@biloxi.example>");
    expect(cancel.headers.get("route")).toBe("<sip:edge.biloxi.example;lr>");
    expect(cancel.headers.has("require")).toBe(false);
    // Its response is swallowed, and stops its retransmission.
    await clock.advance(500);
    expect(receive(200, "b", "CANCEL")).toBe(true);
    receive(487);
    expect(leg.timeline().slice(3)).toEqual(["1100 CANCEL", "1100 ACK"]);
    expect(told).toEqual(["600 100 b", "1100 487 b", "1100 ended"]);
    await clock.advance(40_000);
    expect(leg.sent).toHaveLength(5);
    expect(table.stats).toEqual(idle);
    expect(clock.pending).toBe(0);
  });

  it("sends it at once after a provisional response, and only once", () => {
    const { leg, client, receive } = setUp();
    receive(180);
    client.cancel();
    client.cancel();
    receive(183);
    expect(leg.timeline()).toEqual(["0 INVITE", "0 CANCEL"]);
  });

  it.each([200, 486])("does nothing after a %i", async (status) => {
    const { clock, leg, client, receive } = setUp();
    receive(180);
    receive(status);
    const before = leg.sent.length;
    client.cancel();
    await clock.advance(10_000);
    expect(leg.sent).toHaveLength(before);
  });

  it("does nothing when the final response comes before a provisional one", async () => {
    const { clock, leg, told, client, receive } = setUp();
    client.cancel();
    receive(200);
    await clock.advance(10_000);
    expect(leg.timeline()).toEqual(["0 INVITE"]);
    expect(told).toEqual(["0 200 b"]);
  });

  it("still fails by Timer B when nothing answers at all", async () => {
    const { clock, leg, told, client } = setUp();
    client.cancel();
    await clock.advance(32_000);
    expect(told).toEqual(["32000 SIP_TIMEOUT", "32000 ended"]);
    expect(leg.timeline().some((each) => each.endsWith("CANCEL"))).toBe(false);
  });

  it("is over when no final response comes within 64·T1 after the CANCEL", async () => {
    const { clock, leg, table, told, client, receive } = setUp("tcp");
    receive(180);
    await clock.advance(5000);
    client.cancel();
    receive(200, "b", "CANCEL");
    await clock.advance(15_000);
    client.cancel();
    await clock.advance(16_999);
    expect(told).toEqual(["0 180 b"]);
    await clock.advance(1);
    expect(told).toEqual(["0 180 b", "37000 SIP_TIMEOUT", "37000 ended"]);
    expect(leg.timeline()).toEqual(["0 INVITE", "5000 CANCEL"]);
    expect(table.stats).toEqual(idle);
  });

  it("keeps the CANCEL's own retransmission when nothing answers it", async () => {
    const { clock, leg, table, client, receive } = setUp();
    receive(180);
    client.cancel();
    await clock.advance(4000);
    expect(leg.timeline()).toEqual([
      "0 INVITE",
      "0 CANCEL",
      "500 CANCEL",
      "1500 CANCEL",
      "3500 CANCEL",
    ]);
    await clock.advance(60_000);
    expect(table.stats).toEqual(idle);
    expect(clock.pending).toBe(0);
  });
});

describe("INVITE client transaction, transport errors, RFC 3261 §17.1.4", () => {
  it("fails at once while Calling or Proceeding", async () => {
    for (const provisional of [false, true]) {
      const { clock, leg, table, told, peer, receive } = setUp();
      if (provisional) receive(180);
      table.peerFailed(peer, new TransportError("no route"));
      expect(told.at(-2)).toBe("0 SIP_TRANSPORT");
      expect(told.at(-1)).toBe("0 ended");
      expect(table.stats).toEqual(idle);
      await clock.advance(60_000);
      expect(leg.sent).toHaveLength(1);
    }
  });

  it("tells nothing more once the final response was passed up", () => {
    const { table, told, peer, receive } = setUp();
    receive(404);
    table.peerFailed(peer, new TransportError("no route"));
    expect(told).toEqual(["0 404 b", "0 ended"]);
  });
});
