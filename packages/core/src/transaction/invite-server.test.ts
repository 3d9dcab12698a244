import { describe, expect, it } from "vitest";
import type { Peer, Protocol } from "../arrival.ts";
import { Request } from "../message/request.ts";
import { Response } from "../message/response.ts";
import { idle } from "../test-kit/idle.ts";
import { RecordingLeg } from "../testing/recording-leg.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { InviteServer } from "./invite-server.ts";
import { TransactionTable } from "./table.ts";

const INVITE = `INVITE sip:bob@biloxi.example SIP/2.0
Via: SIP/2.0/UDP Pc33.atlanta.example:5060;branch=z9hG4bKinv
Max-Forwards: 70
To: Bob <sip:bob@biloxi.example>
From: Alice <sip:alice@atlanta.example>;tag=88sja8x
Call-ID: 987asjd97y7atg
CSeq: 986759 INVITE
Content-Length: 0

`;

// As an RFC 2543 client sends it: no magic cookie, and so no branch to rely on.
const OLD_INVITE = INVITE.replace(";branch=z9hG4bKinv", ";branch=1");

function setUp(protocol: Protocol = "udp", text = INVITE) {
  const clock = new VirtualClock();
  const leg = new RecordingLeg(protocol, clock);
  const table = new TransactionTable({ clock, count: () => undefined });
  const told: string[] = [];
  const peer: Peer = { protocol, address: "198.51.100.7", port: 5060 };
  const request = Request.parse(text);
  const server = table.createServer(
    request,
    { leg, peer },
    {
      ended: () => told.push(`${clock.now()} ended`),
      unacknowledged: () => told.push(`${clock.now()} unacknowledged`),
    },
  ) as InviteServer;
  /** The INVITE comes again; tells whether it is known. */
  const again = (): boolean => {
    const found = table.findServer(Request.parse(text));
    found?.retransmitted();
    return found !== undefined;
  };
  const respond = (status: number): boolean => server.respond(request.createResponse(status));
  /** The ACK to a response comes, hop by hop or end to end as its status asks for. */
  const acknowledge = (response: Response, branch?: string): string => {
    const ack = Request.parse(ackTo(text, response, branch));
    return table.findInvite(ack)?.acknowledged(ack) ?? "unknown";
  };
  return { clock, leg, table, told, peer, request, server, again, respond, acknowledge };
}

function ackTo(text: string, response: Response, branch?: string): string {
  const to = response.headers.get("to") as string;
  const ack = text
    .replace(/^INVITE/, "ACK")
    .replace("986759 INVITE", "986759 ACK")
    .replace(/^To: .*$/m, `To: ${to}`);
  return branch === undefined ? ack : ack.replace(/branch=\w+/, `branch=${branch}`);
}

describe("INVITE server transaction, RFC 3261 §17.2.1", () => {
  it("sends every provisional response and repeats the last one when the INVITE comes again", () => {
    const { leg, peer, server, request, again, respond } = setUp();
    expect(server.state).toBe("proceeding");
    expect(server.request).toBe(request);
    expect(again()).toBe(true);
    expect(leg.sent).toEqual([]);
    expect(respond(180)).toBe(true);
    expect(respond(183)).toBe(true);
    again();
    expect(leg.timeline()).toEqual(["0 180", "0 183", "0 183"]);
    expect(leg.sent[2]?.wire).toBe(leg.sent[1]?.wire);
    expect(leg.sent[2]?.to).toBe(peer);
    expect(server.pending).toBe(true);
  });

  it("sends a 100 without a To tag when it is asked for and nothing was sent", () => {
    const { leg, server } = setUp();
    server.trying();
    server.trying();
    expect(leg.timeline()).toEqual(["0 100"]);
    expect(Response.parse(leg.sent[0]?.wire ?? "").headers.get("to")).toBe(
      "Bob <sip:bob@biloxi.example>",
    );
    const other = setUp();
    other.respond(180);
    other.server.trying();
    expect(other.leg.timeline()).toEqual(["0 180"]);
  });

  it("repeats a non-2xx by Timer G at intervals that double up to T2, until Timer H tells", async () => {
    const { clock, leg, table, told, server, respond } = setUp();
    respond(180);
    await clock.advance(1000);
    respond(486);
    expect(server.state).toBe("completed");
    expect(server.pending).toBe(false);
    expect(server.request).toBeUndefined();
    await clock.advance(31_999);
    expect(leg.sent.slice(1).map(({ at }) => at - 1000)).toEqual([
      0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(new Set(leg.sent.slice(1).map(({ wire }) => wire)).size).toBe(1);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(["33000 unacknowledged", "33000 ended"]);
    expect(server.state).toBe("terminated");
    expect(table.stats).toEqual(idle);
    await clock.advance(60_000);
    expect(leg.sent).toHaveLength(12);
    expect(clock.pending).toBe(0);
  });

  it("has no Timer G on a reliable transport, but Timer H", async () => {
    const { clock, leg, told, respond } = setUp("tcp");
    respond(486);
    await clock.advance(31_999);
    expect(leg.timeline()).toEqual(["0 486"]);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(["32000 unacknowledged", "32000 ended"]);
  });

  it("sends the final response again when the INVITE comes again in Completed", async () => {
    const { clock, leg, again, respond } = setUp();
    respond(486);
    await clock.advance(100);
    again();
    await clock.advance(400);
    expect(leg.timeline()).toEqual(["0 486", "100 486", "500 486"]);
  });

  it("absorbs the ACK, stops repeating, and absorbs further ACKs until Timer I", async () => {
    const { clock, leg, table, told, server, request, again, acknowledge } = setUp();
    const response = request.createResponse(486);
    server.respond(response);
    await clock.advance(600);
    expect(acknowledge(response)).toBe("absorbed");
    expect(server.state).toBe("confirmed");
    // The user has nothing more to expect, and is let go.
    expect(told).toEqual(["600 ended"]);
    expect(server.user).toBeUndefined();
    await clock.advance(4999);
    expect(acknowledge(response)).toBe("absorbed");
    expect(again()).toBe(true);
    expect(leg.timeline()).toEqual(["0 486", "500 486"]);
    expect(table.stats.inviteServers).toBe(1);
    await clock.advance(1);
    expect(server.state).toBe("terminated");
    expect(acknowledge(response)).toBe("unknown");
    expect(again()).toBe(false);
    expect(table.stats).toEqual(idle);
    await clock.advance(60_000);
    expect(told).toEqual(["600 ended"]);
    expect(clock.pending).toBe(0);
  });

  it("has no Timer I on a reliable transport", () => {
    const { table, told, server, request, acknowledge } = setUp("tcp");
    const response = request.createResponse(486);
    server.respond(response);
    expect(acknowledge(response)).toBe("absorbed");
    expect(told).toEqual(["0 ended"]);
    expect(table.stats).toEqual(idle);
  });

  it("absorbs an ACK to nothing", () => {
    const { server, request, acknowledge, respond } = setUp();
    expect(acknowledge(request.createResponse(486))).toBe("absorbed");
    expect(server.state).toBe("proceeding");
    expect(respond(200)).toBe(true);
  });

  it("refuses every response after a non-2xx", () => {
    const { leg, respond } = setUp();
    expect(respond(486)).toBe(true);
    for (const status of [100, 180, 200, 487, 603]) expect(respond(status)).toBe(false);
    expect(leg.timeline()).toEqual(["0 486"]);
  });

  it("is found by a CANCEL, which has a transaction of its own", () => {
    const { leg, peer, table, server } = setUp();
    const text = INVITE.replace(/^INVITE/, "CANCEL").replace("986759 INVITE", "986759 CANCEL");
    const cancel = Request.parse(text);
    expect(table.findInvite(cancel)).toBe(server);
    expect(table.findServer(cancel)).toBeUndefined();
    table.recordCompleted(cancel, cancel.createResponse(200).toWire(), { leg, peer });
    table.findServer(Request.parse(text))?.retransmitted();
    expect(leg.timeline()).toEqual(["0 200"]);
    expect(table.findInvite(Request.parse(text))).toBe(server);
  });

  it("is gone when it is abandoned", async () => {
    const { clock, leg, table, told, server, again, respond } = setUp();
    respond(180);
    server.abandon();
    expect(told).toEqual(["0 ended"]);
    expect(respond(200)).toBe(false);
    expect(again()).toBe(false);
    expect(table.stats).toEqual(idle);
    await clock.advance(60_000);
    expect(leg.timeline()).toEqual(["0 180"]);
  });
});

describe("INVITE server transaction, Accepted state of RFC 6026 §7.1", () => {
  it.each(["udp", "tcp"] as const)(
    "absorbs the INVITE and passes 2xx down until Timer L over %s",
    async (protocol) => {
      const { clock, leg, table, told, server, again, respond } = setUp(protocol);
      respond(180);
      await clock.advance(2000);
      expect(respond(200)).toBe(true);
      expect(server.state).toBe("accepted");
      expect(server.pending).toBe(false);
      await clock.advance(500);
      expect(again()).toBe(true);
      expect(respond(200)).toBe(true);
      expect(respond(202)).toBe(true);
      expect(respond(183)).toBe(false);
      expect(respond(486)).toBe(false);
      await clock.advance(31_499);
      expect(again()).toBe(true);
      expect(told).toEqual([]);
      await clock.advance(1);
      expect(told).toEqual(["34000 ended"]);
      expect(server.state).toBe("terminated");
      expect(again()).toBe(false);
      expect(respond(200)).toBe(false);
      // The machine repeats no 2xx by itself.
      expect(leg.timeline()).toEqual(["0 180", "2000 200", "2500 200", "2500 202"]);
      expect(table.stats).toEqual(idle);
      expect(clock.pending).toBe(0);
    },
  );

  it("passes an ACK with the INVITE's branch up", () => {
    const { server, request, acknowledge } = setUp();
    const response = request.createResponse(200);
    server.respond(response);
    expect(acknowledge(response)).toBe("passed");
    expect(server.state).toBe("accepted");
  });
});

describe("a 2xx that this server originates, RFC 3261 §13.3.1.4", () => {
  it.each(["udp", "tcp"] as const)(
    "is repeated over %s until 64·T1, then the user is told",
    async (protocol) => {
      const { clock, leg, table, told, server, request } = setUp(protocol);
      const response = request.createResponse(200);
      expect(server.keepSending2xx(response)).toBe(true);
      await clock.advance(31_999);
      expect(leg.sent.map(({ at }) => at)).toEqual([
        0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
      ]);
      expect(leg.sent.every(({ wire }) => wire === response.toWire())).toBe(true);
      expect(told).toEqual([]);
      await clock.advance(1);
      expect(told).toEqual(["32000 unacknowledged", "32000 ended"]);
      expect(table.stats).toEqual(idle);
      await clock.advance(60_000);
      expect(leg.sent).toHaveLength(11);
      expect(clock.pending).toBe(0);
    },
  );

  it("isn't sent at once because the INVITE comes again", async () => {
    const { clock, leg, server, request, again } = setUp();
    server.keepSending2xx(request.createResponse(200));
    await clock.advance(100);
    expect(again()).toBe(true);
    expect(leg.timeline()).toEqual(["0 200"]);
  });

  it("is found by its ACK, which has a branch of its own, and isn't repeated after it", async () => {
    const { clock, leg, told, server, request, acknowledge } = setUp();
    const response = request.createResponse(200);
    server.keepSending2xx(response);
    await clock.advance(700);
    expect(acknowledge(response, "z9hG4bKack")).toBe("passed");
    // It is awaited no more.
    expect(acknowledge(response, "z9hG4bKack2")).toBe("unknown");
    await clock.advance(40_000);
    expect(leg.timeline()).toEqual(["0 200", "500 200"]);
    expect(told).toEqual(["32000 ended"]);
  });

  it("isn't acknowledged by an ACK of another dialog", () => {
    const { server, request, acknowledge } = setUp();
    server.keepSending2xx(request.createResponse(200));
    const foreign = Request.parse(INVITE).createResponse(200);
    expect(acknowledge(foreign, "z9hG4bKack")).toBe("unknown");
  });

  it("is sent as any 2xx when another is awaiting its ACK already", async () => {
    const { clock, leg, server, request } = setUp();
    expect(server.keepSending2xx(request.createResponse(200))).toBe(true);
    expect(server.keepSending2xx(request.createResponse(202))).toBe(true);
    await clock.advance(500);
    expect(leg.timeline()).toEqual(["0 200", "0 202", "500 200"]);
  });

  it("is refused when it is none, or comes too late", () => {
    const { leg, server, request, respond } = setUp();
    expect(server.keepSending2xx(request.createResponse(180))).toBe(false);
    expect(server.keepSending2xx(request.createResponse(486))).toBe(false);
    expect(leg.sent).toEqual([]);
    respond(486);
    expect(server.keepSending2xx(request.createResponse(200))).toBe(false);
    expect(leg.timeline()).toEqual(["0 486"]);
  });
});

describe("INVITE server transaction of an RFC 2543 client, RFC 3261 §17.2.3", () => {
  it("knows a retransmission without the magic cookie", () => {
    const { leg, again, respond } = setUp("udp", OLD_INVITE);
    respond(180);
    expect(again()).toBe(true);
    expect(leg.timeline()).toEqual(["0 180", "0 180"]);
  });

  it("takes the ACK whose To tag is its response's", () => {
    const { server, request, acknowledge } = setUp("udp", OLD_INVITE);
    const response = request.createResponse(486);
    server.respond(response);
    const other = Request.parse(OLD_INVITE).createResponse(200);
    expect(acknowledge(other)).toBe("passed");
    expect(server.state).toBe("completed");
    expect(acknowledge(response)).toBe("absorbed");
    expect(server.state).toBe("confirmed");
    expect(acknowledge(response)).toBe("absorbed");
    expect(acknowledge(other)).toBe("passed");
  });

  it("passes the ACK to a 2xx up, RFC 6026 §6", () => {
    const { server, request, acknowledge } = setUp("udp", OLD_INVITE);
    const response = request.createResponse(200);
    server.keepSending2xx(response);
    expect(acknowledge(response)).toBe("passed");
    expect(server.state).toBe("accepted");
  });
});
