import { describe, expect, it } from "vitest";
import type { Connection, Peer, Protocol } from "../arrival.ts";
import { TransportError } from "../errors.ts";
import { Request } from "../message/request.ts";
import { idle } from "../test-kit/idle.ts";
import { RecordingLeg } from "../testing/recording-leg.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { ClientUser } from "./client-user.ts";
import type { Outlet } from "./outlet.ts";
import type { ServerUser } from "./server-user.ts";
import { TransactionTable } from "./table.ts";

function request(method: string, branch: string, extra = "", body = ""): Request {
  return Request.parse(
    `${method} sip:bob@biloxi.example SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK${branch}\r\nMax-Forwards: 70\r\nTo: <sip:bob@biloxi.example>\r\nFrom: <sip:alice@atlanta.example>;tag=1\r\nCall-ID: ${branch}\r\nCSeq: 1 ${method}\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

const silent: ServerUser = { ended: () => undefined, unacknowledged: () => undefined };
const deaf: ClientUser = { response: () => undefined, failed: () => undefined };

function setUp(options: { maxBytes?: number; protocol?: Protocol } = {}) {
  const clock = new VirtualClock();
  const { protocol = "udp" } = options;
  const leg = new RecordingLeg(protocol, clock);
  const counted = new Map<string, number>();
  const table = new TransactionTable({
    clock,
    ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
    count: (name) => counted.set(name, (counted.get(name) ?? 0) + 1),
  });
  const peer: Peer = { protocol, address: "198.51.100.7", port: 5060 };
  const outlet: Outlet = { leg, peer };
  /** A request that is answered at once. */
  const answer = (branch: string): void => {
    const register = request("REGISTER", branch);
    table.recordCompleted(register, register.createResponse(200).toWire(), outlet);
  };
  const knows = (method: string, branch: string): boolean =>
    table.findServer(request(method, branch)) !== undefined;
  return { clock, leg, table, counted, peer, outlet, answer, knows };
}

describe("TransactionTable", () => {
  it("counts what is alive and what is pending", () => {
    const { table, outlet, answer } = setUp();
    expect(table.stats).toEqual(idle);
    answer("1");
    const bytes = table.stats.transactionBytes;
    expect(bytes).toBeGreaterThan(0);
    const message = request("MESSAGE", "2");
    const server = table.createServer(message, outlet, silent);
    table.createServer(request("INVITE", "3"), outlet, silent);
    table.createClient(request("INVITE", "4"), outlet, deaf);
    const options = request("OPTIONS", "5");
    const client = table.createClient(options, outlet, deaf);
    expect(table.stats).toMatchObject({
      inviteServers: 1,
      nonInviteServers: 2,
      inviteClients: 1,
      nonInviteClients: 1,
    });
    expect(table.stats.transactionBytes).toBeGreaterThan(4 * 5000);
    expect(table.pending).toBe(4);
    server?.respond(message.createResponse(200));
    expect(table.pending).toBe(3);
    client?.receive(options.createResponse(200));
    expect(table.pending).toBe(2);
    expect(table.stats).toMatchObject({ nonInviteServers: 2, nonInviteClients: 1 });
  });

  it("returns to zero when every transaction has run out, and so does the clock", async () => {
    const { clock, table, outlet, answer } = setUp();
    answer("1");
    for (const method of ["INVITE", "MESSAGE"]) {
      const incoming = request(method, `in${method}`);
      table.createServer(incoming, outlet, silent)?.respond(incoming.createResponse(200));
      const refused = request(method, `no${method}`);
      table.createServer(refused, outlet, silent)?.respond(refused.createResponse(404));
      for (const status of [200, 404]) {
        const outgoing = request(method, `out${method}${status}`);
        table.createClient(outgoing, outlet, deaf)?.receive(outgoing.createResponse(status));
      }
      table.createClient(request(method, `lost${method}`), outlet, deaf);
    }
    expect(table.pending).toBe(2);
    await clock.advance(64_000);
    expect(table.stats).toEqual(idle);
    expect(table.pending).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it("keeps one transaction a key", () => {
    const { table, counted, outlet } = setUp();
    const first = table.createServer(request("INVITE", "1"), outlet, silent);
    expect(first).toBeDefined();
    expect(table.createServer(request("INVITE", "1"), outlet, silent)).toBeUndefined();
    expect(table.findServer(request("INVITE", "1"))).toBe(first);
    expect(table.createClient(request("INVITE", "1"), outlet, deaf)).toBeDefined();
    expect(table.createClient(request("INVITE", "1"), outlet, deaf)).toBeUndefined();
    expect(counted.get("refusedTransactions")).toBe(2);
    expect(table.stats).toMatchObject({ inviteServers: 1, inviteClients: 1 });
  });

  it("sends no second CANCEL under a branch while the first has no answer", () => {
    const { table, leg, outlet } = setUp({ protocol: "tcp" });
    for (let i = 0; i < 2; i++) {
      const invite = request("INVITE", "1");
      const client = table.createClient(invite, outlet, deaf);
      client?.receive(invite.createResponse(180));
      client?.cancel();
      client?.receive(invite.createResponse(487));
    }
    expect(leg.timeline()).toEqual(["0 INVITE", "0 CANCEL", "0 ACK", "0 INVITE", "0 ACK"]);
    expect(table.stats).toMatchObject({ inviteClients: 0, nonInviteClients: 1 });
  });

  it("finds the transaction that a response is for", () => {
    const { table, outlet, answer } = setUp();
    const invite = request("INVITE", "1");
    const server = table.createServer(invite, outlet, silent);
    expect(table.findAnswered(invite.createResponse(180))).toBe(server);
    expect(table.findAnswered(request("INVITE", "2").createResponse(180))).toBeUndefined();
    answer("3");
    expect(table.findAnswered(request("REGISTER", "3").createResponse(200))).toBeUndefined();
  });

  it("finds no client transaction by a server's branch, and the other way round", () => {
    const { table, outlet } = setUp();
    const invite = request("INVITE", "1");
    table.createServer(invite, outlet, silent);
    expect(table.findClient(invite.createResponse(200))).toBeUndefined();
    const other = request("INVITE", "2");
    table.createClient(other, outlet, deaf);
    expect(table.findServer(other)).toBeUndefined();
  });
});

describe("TransactionTable, bounded in bytes", () => {
  it("keeps 100,000 completed answers within maxBytes, and the newest", async () => {
    const maxBytes = 4 * 1024 * 1024;
    const { clock, table, counted, outlet, knows } = setUp({ maxBytes });
    const wire = request("REGISTER", "0").createResponse(200).toWire();
    for (let i = 0; i < 100_000; i++) {
      const Via = `SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK${i}`;
      const register = new Request("REGISTER", "sip:example.com", { headers: { Via } });
      table.recordCompleted(register, wire, outlet);
    }
    const { nonInviteServers, transactionBytes } = table.stats;
    expect(transactionBytes).toBeLessThanOrEqual(maxBytes);
    expect(transactionBytes).toBeGreaterThan(0.99 * maxBytes);
    expect(nonInviteServers).toBeGreaterThan(4000);
    expect(counted).toEqual(new Map([["evictedTransactions", 100_000 - nonInviteServers]]));
    expect(knows("REGISTER", "99999")).toBe(true);
    expect(knows("REGISTER", `${100_000 - nonInviteServers}`)).toBe(true);
    expect(knows("REGISTER", `${100_000 - nonInviteServers - 1}`)).toBe(false);
    await clock.advance(32_000);
    expect(table.stats).toEqual(idle);
    expect(clock.pending).toBe(0);
  }, 30_000);

  /** What one pending MESSAGE with a branch of two characters counts. */
  function pendingBytes(): number {
    const { table, outlet } = setUp();
    table.createServer(request("MESSAGE", "p0"), outlet, silent);
    return table.stats.transactionBytes;
  }

  it("lets completed non-INVITE ones go first, then completed INVITE ones, pending ones never", async () => {
    const maxBytes = 10 * pendingBytes() + 10;
    const clock = new VirtualClock();
    const leg = new RecordingLeg("udp", clock);
    const log: string[] = [];
    const table = new TransactionTable({ clock, maxBytes, count: (name) => log.push(name) });
    const outlet: Outlet = { leg, peer: { protocol: "udp", address: "198.51.100.7", port: 5060 } };
    const user: ServerUser = {
      ended: ({ key }) => log.push(key.slice(0, key.indexOf("|"))),
      unacknowledged: () => log.push("unacknowledged"),
    };
    const finals = [
      ["unacknowledged", 486],
      ["accepted", 200],
      ["confirmed", 486],
    ] as const;
    for (const [branch, status] of finals) {
      const invite = request("INVITE", branch);
      const server = table.createServer(invite, outlet, user);
      server?.respond(invite.createResponse(status));
      if (branch === "confirmed" && server?.isInvite) server.acknowledged(request("ACK", branch));
    }
    const options = request("OPTIONS", "absorbing");
    table.createClient(options, outlet, deaf)?.receive(options.createResponse(200));
    for (const branch of ["r0", "r1"]) {
      const register = request("REGISTER", branch);
      table.recordCompleted(register, register.createResponse(200).toWire(), outlet);
    }
    expect(log.splice(0)).toEqual(["z9hG4bKconfirmed"]);
    for (let i = 0; i < 10; i++) {
      expect(table.createServer(request("MESSAGE", `p${i}`), outlet, user)).toBeDefined();
    }
    expect(log).toEqual([
      "evictedTransactions",
      "evictedTransactions",
      "evictedTransactions",
      "evictedInviteTransactions",
      "z9hG4bKaccepted",
      "evictedInviteTransactions",
      "z9hG4bKunacknowledged",
      "evictedInviteTransactions",
    ]);
    // Only pending ones are left: they stay, and what is new is refused.
    expect(table.pending).toBe(10);
    expect(table.createServer(request("INVITE", "q0"), outlet, user)).toBeUndefined();
    expect(table.createClient(request("OPTIONS", "q1"), outlet, deaf)).toBeUndefined();
    expect(log.slice(8)).toEqual(["refusedTransactions", "refusedTransactions"]);
    expect(table.pending).toBe(10);
    expect(table.stats.transactionBytes).toBeLessThanOrEqual(maxBytes);
    await clock.advance(64_000);
    expect(table.pending).toBe(10);
    expect(clock.pending).toBe(0);
  });

  it("evicts no more answers than it must, the oldest first", () => {
    const maxBytes = 2 * pendingBytes();
    const { table, counted, outlet, answer, knows } = setUp({ maxBytes });
    answer("00");
    const one = table.stats.transactionBytes;
    const fitting = Math.floor(maxBytes / one);
    expect(fitting).toBeGreaterThan(9);
    for (let i = 1; i < fitting; i++) answer(`${i}`.padStart(2, "0"));
    expect(counted.size).toBe(0);
    table.createServer(request("MESSAGE", "p0"), outlet, silent);
    const over = fitting * one + pendingBytes() - maxBytes;
    const evicted = Math.ceil(over / one);
    expect(evicted).toBeGreaterThan(2);
    expect(counted).toEqual(new Map([["evictedTransactions", evicted]]));
    expect(knows("REGISTER", `${evicted - 1}`.padStart(2, "0"))).toBe(false);
    expect(knows("REGISTER", `${evicted}`.padStart(2, "0"))).toBe(true);
  });

  it("counts an INVITE as long as its user is held", () => {
    const { table, outlet } = setUp();
    const bytes = (): number => table.stats.transactionBytes;
    const incoming = request("INVITE", "in");
    const server = table.createServer(incoming, outlet, silent);
    const pending = bytes();
    server?.respond(incoming.createResponse(486));
    expect(bytes()).toBe(pending);
    if (server?.isInvite) server.acknowledged(request("ACK", "in"));
    const confirmed = bytes();
    expect(confirmed).toBeLessThan(1000);
    const outgoing = request("INVITE", "ou");
    const client = table.createClient(outgoing, outlet, deaf);
    expect(bytes() - confirmed).toBe(pending);
    client?.receive(outgoing.createResponse(200));
    expect(bytes() - confirmed).toBe(pending);
    const refused = request("INVITE", "refused");
    table.createClient(refused, outlet, deaf)?.receive(refused.createResponse(486));
    expect(bytes() - confirmed - pending).toBeLessThan(1500);
  });

  it("doesn't give up an INVITE for an answer: the answer isn't kept", () => {
    const { table, counted, outlet, answer, knows } = setUp({ maxBytes: 3 * pendingBytes() });
    const invite = request("INVITE", "1");
    table.createServer(invite, outlet, silent)?.respond(invite.createResponse(486));
    table.createServer(request("MESSAGE", "p0"), outlet, silent);
    answer("2");
    expect(counted.size).toBe(0);
    const register = request("REGISTER", "3");
    const wire = register.createResponse(200).toWire() + "x".repeat(10_000);
    table.recordCompleted(register, wire, outlet);
    expect(knows("REGISTER", "3")).toBe(false);
    expect(knows("INVITE", "1")).toBe(true);
    expect(counted.has("evictedInviteTransactions")).toBe(false);
    expect(counted.get("evictedTransactions")).toBe(2);
    expect(table.stats).toMatchObject({ inviteServers: 1, nonInviteServers: 1 });
  });

  it("counts a pending request by its size", () => {
    const { table, outlet } = setUp();
    table.createServer(request("MESSAGE", "small"), outlet, silent);
    const small = table.stats.transactionBytes;
    table.createServer(request("MESSAGE", "large", "", "x".repeat(50_000)), outlet, silent);
    expect(table.stats.transactionBytes - small).toBeGreaterThan(small + 50_000);
  });

  it("refuses a request that doesn't fit at all, without emptying itself for it", () => {
    const { table, counted, outlet, answer, knows } = setUp({ maxBytes: 50_000 });
    answer("1");
    const large = request("MESSAGE", "large", "", "x".repeat(50_000));
    expect(table.createServer(large, outlet, silent)).toBeUndefined();
    expect(knows("REGISTER", "1")).toBe(true);
    expect(counted).toEqual(new Map([["refusedTransactions", 1]]));
  });
});

describe("TransactionTable, failing peers and connections", () => {
  const connection = (id: number): Connection => ({ id, open: true });
  const streamPeer = (id: number): Peer => ({
    protocol: "tcp",
    address: "203.0.113.5",
    port: 5060,
    connection: connection(id),
  });

  function noting() {
    const told: string[] = [];
    const user = (name: string): ClientUser => ({
      response: ({ status }) => told.push(`${name} ${status}`),
      failed: ({ code }) => told.push(`${name} ${code}`),
    });
    return { told, user };
  }

  it("fails what was sent to a UDP address that failed, and nothing else", () => {
    const { table, leg, peer } = setUp();
    const { told, user } = noting();
    const other: Peer = { ...peer, port: 5062 };
    table.createClient(request("INVITE", "1"), { leg, peer }, user("1"));
    table.createClient(request("OPTIONS", "2"), { leg, peer: { ...peer } }, user("2"));
    table.createClient(request("OPTIONS", "3"), { leg, peer: other }, user("3"));
    table.peerFailed({ ...peer }, new TransportError("no route"));
    expect(told).toEqual(["1 SIP_TRANSPORT", "2 SIP_TRANSPORT"]);
    expect(table.pending).toBe(1);
    table.peerFailed({ ...peer }, new TransportError("no route"));
    expect(told).toHaveLength(2);
  });

  it("fails only the one whose datagram it was, when the transport gives its peer back", () => {
    const { table, leg, peer } = setUp();
    const { told, user } = noting();
    const mine: Peer = { ...peer };
    table.createClient(request("INVITE", "1"), { leg, peer }, user("1"));
    table.createClient(request("MESSAGE", "2"), { leg, peer: mine }, user("2"));
    table.peerFailed(mine, new TransportError("message too long"));
    expect(told).toEqual(["2 SIP_TRANSPORT"]);
  });

  it("fails all that waited for a stream that could not be opened", () => {
    const { table, leg } = setUp({ protocol: "tcp" });
    const { told, user } = noting();
    const peer: Peer = { protocol: "tcp", address: "203.0.113.5", port: 5060 };
    table.createClient(request("INVITE", "1"), { leg, peer: { ...peer } }, user("1"));
    table.createClient(request("OPTIONS", "2"), { leg, peer }, user("2"));
    table.peerFailed(peer, new TransportError("refused"));
    expect(told).toEqual(["1 SIP_TRANSPORT", "2 SIP_TRANSPORT"]);
    expect(table.stats).toEqual(idle);
  });

  it("fails the client transactions of a connection that closed, and tells whose server transactions are pending", () => {
    const { table, leg } = setUp({ protocol: "tcp" });
    const { told, user } = noting();
    const here = { leg, peer: streamPeer(1) };
    const there = { leg, peer: streamPeer(2) };
    table.createClient(request("INVITE", "1"), here, user("1"));
    table.createClient(request("INVITE", "2"), there, user("2"));
    const pending = table.createServer(request("INVITE", "3"), here, silent);
    const message = table.createServer(request("MESSAGE", "4"), here, silent);
    const answered = request("INVITE", "5");
    table.createServer(answered, here, silent)?.respond(answered.createResponse(200));
    table.createServer(request("INVITE", "6"), there, silent);
    expect(table.connectionClosed(connection(1))).toEqual([pending, message]);
    expect(told).toEqual(["1 SIP_CONNECTION_CLOSED"]);
    pending?.abandon();
    message?.abandon();
    expect(table.connectionClosed(connection(1))).toEqual([]);
    expect(table.connectionClosed(connection(7))).toEqual([]);
    expect(table.pending).toBe(2);
    expect(told).toHaveLength(1);
  });

  it("can fail a transaction while it sends", () => {
    const clock = new VirtualClock();
    const { told, user } = noting();
    const peer: Peer = { protocol: "udp", address: "203.0.113.5", port: 5060 };
    const table = new TransactionTable({ clock, count: () => undefined });
    class FailingLeg extends RecordingLeg {
      override send(message: string, to: Peer): void {
        super.send(message, to);
        table.peerFailed(to, new TransportError("no route"));
      }
    }
    const leg = new FailingLeg("udp", clock);
    for (const method of ["INVITE", "OPTIONS"]) {
      const client = table.createClient(request(method, "1"), { leg, peer }, user(method));
      expect(client?.state).toBe("terminated");
    }
    expect(told).toEqual(["INVITE SIP_TRANSPORT", "OPTIONS SIP_TRANSPORT"]);
    expect(table.stats).toEqual(idle);
  });

  it("survives a peer that fails while an ACK or a CANCEL is sent", async () => {
    const clock = new VirtualClock();
    const { told, user } = noting();
    const peer: Peer = { protocol: "udp", address: "203.0.113.5", port: 5060 };
    const table = new TransactionTable({ clock, count: () => undefined });
    class FailingLeg extends RecordingLeg {
      override send(message: string, to: Peer): void {
        super.send(message, to);
        if (!message.startsWith("INVITE")) table.peerFailed(to, new TransportError("no route"));
      }
    }
    const leg = new FailingLeg("udp", clock);
    const first = request("INVITE", "1");
    table.createClient(first, { leg, peer }, user("1"))?.receive(first.createResponse(486));
    const second = request("INVITE", "2");
    const client = table.createClient(second, { leg, peer }, user("2"));
    client?.cancel();
    client?.receive(second.createResponse(180));
    expect(told).toEqual(["1 486", "2 SIP_TRANSPORT"]);
    await clock.advance(64_000);
    expect(leg.timeline()).toEqual(["0 INVITE", "0 ACK", "0 INVITE", "0 CANCEL"]);
    expect(table.stats).toEqual(idle);
    expect(clock.pending).toBe(0);
  });
});

describe("TransactionTable.close", () => {
  it("fails pending client transactions, lets everything go and takes nothing more", async () => {
    const { clock, leg, table, outlet, answer, knows } = setUp();
    const told: string[] = [];
    const user = (name: string): ClientUser => ({
      response: ({ status }) => told.push(`${name} ${status}`),
      failed: ({ code }) => told.push(`${name} ${code}`),
      ended: () => told.push(`${name} ended`),
    });
    const server: ServerUser = {
      ended: (transaction) => told.push(`${transaction.key} ended`),
      unacknowledged: () => told.push("unacknowledged"),
    };
    table.createClient(request("INVITE", "1"), outlet, user("1"));
    table.createClient(request("OPTIONS", "2"), outlet, user("2"));
    const accepted = request("INVITE", "3");
    table.createClient(accepted, outlet, user("3"))?.receive(accepted.createResponse(200));
    table.createServer(request("MESSAGE", "4"), outlet, server);
    const kept = request("INVITE", "5");
    const invite = table.createServer(kept, outlet, server);
    if (invite?.isInvite) invite.keepSending2xx(kept.createResponse(200));
    answer("6");
    const sent = leg.sent.length;
    table.close();
    table.close();
    expect(told).toEqual([
      "3 200",
      "1 SIP_CLOSED",
      "1 ended",
      "2 SIP_CLOSED",
      "2 ended",
      "3 ended",
      "z9hG4bK4|198.51.100.7:5060|MESSAGE ended",
      "z9hG4bK5|198.51.100.7:5060|INVITE ended",
    ]);
    expect(table.stats).toEqual(idle);
    expect(table.pending).toBe(0);
    expect(clock.pending).toBe(0);
    answer("7");
    expect(knows("REGISTER", "7")).toBe(false);
    expect(table.createServer(request("INVITE", "8"), outlet, server)).toBeUndefined();
    expect(table.createClient(request("INVITE", "9"), outlet, user("9"))).toBeUndefined();
    await clock.advance(64_000);
    expect(leg.sent).toHaveLength(sent);
    expect(told).toHaveLength(8);
    expect(table.stats).toEqual(idle);
  });
});
