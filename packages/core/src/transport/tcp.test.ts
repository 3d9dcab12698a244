import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { cleanups } from "../../../../test/kit/cleanups.ts";
import { hasIPv6 } from "../../../../test/kit/has-ipv6.ts";
import { until } from "../../../../test/kit/until.ts";
import type { Peer } from "../arrival.ts";
import { counter, Heard } from "../test-kit/heard.ts";
import type { StreamLimits } from "./stream-limits.ts";
import type { StreamTransport } from "./stream-transport.ts";
import { tcpTransport } from "./tcp.ts";

class Listening extends Heard {
  readonly transport: StreamTransport;
  peer: Peer = { protocol: "tcp", address: "", port: 0 };

  constructor(address: string, port: number, limits: Partial<StreamLimits>, ids: () => number) {
    super();
    const context = this.context(limits, ids);
    this.transport = tcpTransport({ protocol: "tcp", address, port }, context);
  }

  async listen(): Promise<this> {
    const sink = this.sink((text, to) => this.transport.send(text, to));
    this.peer = { protocol: "tcp", ...(await this.transport.listen(sink)) };
    return this;
  }

  get connections(): number | undefined {
    return this.transport.stats().connections;
  }
}

/** A transport that is closed at the test's end, however its time stands. */
async function listen(
  limits: Partial<StreamLimits> = {},
  { address = "127.0.0.1", port = 0, ids = counter() } = {},
): Promise<Listening> {
  const listening = await new Listening(address, port, limits, ids).listen();
  cleanups.push(async () => {
    const closed = listening.transport.close();
    await listening.clock.advance(10_000);
    await closed;
  });
  return listening;
}

class Client {
  readonly socket: Socket;
  received = "";
  ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
    });
    socket.on("end", () => {
      this.ended = true;
    });
    socket.on("error", () => {
      this.ended = true;
    });
    cleanups.push(() => socket.destroy());
  }
}

/** A plain socket, connected, so that a test can do what a peer shouldn't. */
async function dial(
  { peer }: Listening,
  options: { allowHalfOpen?: boolean } = {},
): Promise<Client> {
  const socket = connect({ host: peer.address, port: peer.port, ...options });
  await once(socket, "connect");
  return new Client(socket);
}

function message(name: string, body = ""): string {
  return `MESSAGE sip:${name} SIP/2.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

describe("TCP transport, RFC 3261 §18", () => {
  it.each(["127.0.0.1", ...(hasIPv6 ? ["::1"] : [])])(
    "carries both sides' messages over one connection on %s",
    async (address) => {
      const a = await listen({}, { address });
      const b = await listen({}, { address });
      b.answer = (text) => text.replace("MESSAGE", "ANSWER");
      a.transport.send(message("1"), b.peer);
      a.transport.send(message("2"), { ...b.peer });
      await until(() => a.messages.length === 2);
      expect(b.texts).toEqual([message("1"), message("2")]);
      expect(a.texts).toEqual(b.texts.map((text) => text.replace("MESSAGE", "ANSWER")));
      expect(a.transport.counters()).toMatchObject({ dialled: 1, accepted: 0 });
      expect(b.transport.counters()).toMatchObject({ dialled: 0, accepted: 1 });
      expect(a.messages[0]?.from).toMatchObject({ protocol: "tcp", address, port: b.peer.port });
    },
  );

  it("reaches an address and port over the connection that came from there", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.write(message("1"));
    await until(() => server.messages.length === 1);
    const { port } = client.socket.address() as { port: number };
    server.transport.send(message("2"), { protocol: "tcp", address: "127.0.0.1", port });
    await until(() => client.received !== "");
    expect(client.received).toBe(message("2"));
    expect(server.transport.counters()).toMatchObject({ dialled: 0 });
  });

  it("sends from the address that it listens on", async () => {
    const a = await listen({}, { address: "127.0.0.2" });
    const b = await listen();
    a.transport.send(message("1"), b.peer);
    await until(() => b.messages.length === 1);
    expect(b.messages[0]?.from.address).toBe("127.0.0.2");
  });

  it("sends a wire string one byte a character", async () => {
    const a = await listen();
    const b = await listen();
    const body = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte)).toString(
      "latin1",
    );
    a.transport.send(message("1", body), b.peer);
    a.transport.send(Buffer.from(message("2", body), "latin1"), b.peer);
    await until(() => b.messages.length === 2);
    expect(b.texts).toEqual([message("1", body), message("2", body)]);
  });

  it("answers pipelined messages in their order", async () => {
    const server = await listen();
    server.answer = (text) => text.replace("MESSAGE", "ANSWER");
    const client = await dial(server);
    const all = Array.from({ length: 50 }, (_, number) => message(String(number), "body")).join("");
    client.socket.write(all);
    await until(() => client.received.length >= all.length - 50);
    expect(client.received).toBe(all.replaceAll("MESSAGE", "ANSWER"));
  });

  it("puts together what comes in pieces", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.setNoDelay(true);
    for (const piece of [
      message("1", "body").slice(0, 20),
      `${message("1", "body").slice(20)}\r\n`,
    ]) {
      client.socket.write(piece);
      const { bytesWritten } = client.socket;
      await until(() => client.socket.bytesWritten >= bytesWritten);
      await server.clock.advance(0);
    }
    await until(() => server.messages.length === 1);
    expect(server.texts).toEqual([message("1", "body")]);
  });

  it("answers a double CRLF with a CRLF, RFC 5626 §4.4.1", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.write("\r\n\r\n");
    await until(() => client.received === "\r\n");
    expect(server.transport.counters()).toMatchObject({ keepAlives: 1, unframeableStreams: 0 });
    expect(server.messages).toEqual([]);
  });

  it("gives numbers that no connection of another leg has", async () => {
    const ids = counter();
    const [a, b] = [await listen({}, { ids }), await listen({}, { ids })];
    a.transport.send(message("1"), b.peer);
    await until(() => b.messages.length === 1);
    const here = a.transport.reach(b.peer).connection;
    const there = b.messages[0]?.from.connection;
    expect(here?.id).not.toBe(there?.id);
    expect(a.transport.connected(here?.id ?? 0)?.connection).toBe(here);
    expect(b.transport.connected(there?.id ?? 0)?.connection).toBe(there);
    expect(a.transport.connected(99)).toBeUndefined();
  });

  it("tells over which connection a peer is reached before anything is sent", async () => {
    const [a, b] = [await listen(), await listen()];
    const peer = a.transport.reach(b.peer);
    expect(peer).toMatchObject({ address: b.peer.address, port: b.peer.port });
    expect(peer.connection?.open).toBe(true);
    expect(a.transport.reach(b.peer)).toBe(peer);
    expect(a.transport.reach(peer)).toBe(peer);
    a.transport.send(message("1"), peer);
    await until(() => b.messages.length === 1);
    expect(a.transport.counters()).toMatchObject({ dialled: 1 });
  });

  it("names the address that it can't have", async () => {
    const { peer } = await listen();
    await expect(listen({}, { port: peer.port })).rejects.toMatchObject({
      code: "SIP_LISTEN",
      message: expect.stringContaining(`tcp:127.0.0.1:${peer.port}`),
    });
  });
});

describe("TCP transport, failures", () => {
  it("fails each message that waited for a connection that is refused", async () => {
    const gone = await listen();
    await gone.transport.close();
    const { transport, failures, closed } = await listen();
    const [one, two] = [{ ...gone.peer }, { ...gone.peer }];
    transport.send(message("1"), one);
    transport.send(message("2"), two);
    expect(failures).toEqual([]);
    await until(() => failures.length === 2);
    expect(failures.map(({ to }) => to === one || to === two)).toEqual([true, true]);
    expect(failures[0]?.error).toMatchObject({ code: "SIP_TRANSPORT", status: 503 });
    expect(failures[0]?.error.message).toContain("ECONNREFUSED");
    await until(() => closed.length === 1);
    expect(transport.counters()).toMatchObject({ connectFailures: 1 });
    await until(() => transport.stats().connections === 0);
  });

  it("fails what is sent to a connection that is gone, once send has returned", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.write(message("1"));
    await until(() => server.messages.length === 1);
    const from = server.messages[0]?.from as Peer;
    client.socket.destroy();
    await until(() => server.closed.length === 1);
    expect(server.closed[0]).toBe(from.connection);
    expect(from.connection?.open).toBe(false);
    expect(server.transport.connected(from.connection?.id ?? 0)).toBeUndefined();
    server.transport.send(message("2"), from);
    expect(server.failures).toEqual([]);
    await until(() => server.failures.length === 1);
    expect(server.failures[0]?.to).toBe(from);
    expect(server.transport.counters()).toMatchObject({ dialled: 0 });
  });

  it.each([
    ["a name", "sip.example.com", 5060],
    ["port 0", "127.0.0.1", 0],
    ["a port out of range", "127.0.0.1", 65_536],
    ["another family", "::1", 5060],
  ])("fails what is sent to %s", async (_what, address, port) => {
    const { transport, failures } = await listen();
    const to: Peer = { protocol: "tcp", address, port };
    transport.send(message("1"), to);
    expect(failures).toEqual([]);
    await until(() => failures.length > 0);
    expect(failures[0]?.to).toBe(to);
  });

  it("tells of a connection that ends in the middle of a message, and of no message", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.end(message("1", "0123456789").slice(0, -5));
    await until(() => server.closed.length === 1);
    expect(server.messages).toEqual([]);
    await until(() => server.connections === 0);
  });

  it("answers one who has closed his half already", async () => {
    const server = await listen();
    server.answer = () => message("answer");
    const client = await dial(server, { allowHalfOpen: true });
    client.socket.end(message("1"));
    await until(() => client.ended);
    expect(client.received).toBe(message("answer"));
  });

  it("answers what breaks the framing, then closes and reads no more", async () => {
    const server = await listen();
    const client = await dial(server);
    const bad = "MESSAGE sip:x SIP/2.0\r\nCall-ID: c\r\n\r\n";
    client.socket.write(message("1") + bad + message("2"));
    await until(() => client.ended);
    expect(client.received).toBe("SIP/2.0 400 Content-Length is missing\r\nl:0\r\n\r\n");
    expect(server.texts).toEqual([message("1")]);
    expect(server.faults).toMatchObject([{ error: { status: 400 } }]);
    expect(server.faults[0]?.head.startsWith(bad)).toBe(true);
    await until(() => server.connections === 0);
    expect(server.closed).toHaveLength(1);
    expect(server.transport.counters()).toMatchObject({ unframeableStreams: 1 });
  });

  it("closes at last on one who does not close his half after a fault", async () => {
    const server = await listen();
    const client = await dial(server, { allowHalfOpen: true });
    client.socket.write("MESSAGE sip:x SIP/2.0\r\n\r\n");
    await until(() => client.ended);
    expect(server.connections).toBe(1);
    await server.clock.advance(3_000);
    await until(() => server.connections === 0);
  });
});

describe("TCP transport, bounds", () => {
  it("closes on a reader that is too slow", async () => {
    const server = await listen({ maxBuffered: 100_000 });
    const client = await dial(server);
    client.socket.write(message("1"));
    await until(() => server.messages.length === 1);
    client.socket.pause();
    const from = server.messages[0]?.from as Peer;
    const big = message("big", "x".repeat(50_000));
    let sent = 0;
    // The kernel's buffers take some megabytes before anything waits here.
    while (from.connection?.open && sent < 2_000) {
      server.transport.send(big, from);
      sent += 1;
      await setImmediate();
    }
    expect(from.connection?.open).toBe(false);
    await until(() => server.closed.length === 1 && server.connections === 0);
    expect(server.transport.counters()).toMatchObject({ slowReaders: 1 });
  });

  it("closes on what waits for a connection beyond the bound", async () => {
    const server = await listen();
    const { transport, failures } = await listen({ maxBuffered: 1_000 });
    transport.send(message("1", "x".repeat(2_000)), server.peer);
    await until(() => failures.length === 1);
    expect(transport.counters()).toMatchObject({ slowReaders: 1 });
  });

  it("refuses connections over the bound in all, and takes them again when there is room", async () => {
    const server = await listen({ maxConnections: 2 });
    const clients = [await dial(server), await dial(server)];
    const third = await dial(server);
    await until(() => third.ended);
    expect(server.connections).toBe(2);
    expect(server.transport.counters()).toMatchObject({ accepted: 2, connectionsRefused: 1 });
    clients[0]?.socket.destroy();
    await until(() => server.connections === 1);
    const fourth = await dial(server);
    fourth.socket.write(message("4"));
    await until(() => server.messages.length === 1);
    expect(server.texts).toEqual([message("4")]);
  });

  it("refuses connections over the bound for an address, and opens none over it", async () => {
    const server = await listen({ maxConnectionsPerAddress: 1 });
    await dial(server);
    await until(() => server.connections === 1);
    const second = await dial(server);
    await until(() => second.ended);
    const elsewhere: Peer = { protocol: "tcp", address: "127.0.0.1", port: 9 };
    server.transport.send(message("1"), elsewhere);
    await until(() => server.failures.length === 1);
    expect(server.failures[0]?.error.message).toContain("too many connections");
    expect(server.transport.counters()).toMatchObject({ connectionsRefused: 2, dialled: 0 });
  });

  it("closes on one who never sends a whole message", async () => {
    const server = await listen();
    const [silent, pinging, talking] = [await dial(server), await dial(server), await dial(server)];
    talking.socket.write(message("1"));
    await until(() => server.connections === 3 && server.messages.length === 1);
    await server.clock.advance(31_000);
    pinging.socket.write("\r\n\r\n");
    await until(() => pinging.received === "\r\n");
    expect(server.closed).toEqual([]);
    await server.clock.advance(2_000);
    await until(() => silent.ended && pinging.ended);
    expect(talking.ended).toBe(false);
    expect(server.transport.counters()).toMatchObject({ silentConnections: 2 });
  });

  it("closes on half a message and then silence, however much came before", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.write(message("1") + message("2").slice(0, 10));
    await until(() => server.messages.length === 1);
    await server.clock.advance(31_000);
    client.socket.write(message("2").slice(10, 12));
    await until(() => client.socket.bytesWritten > message("1").length + 11);
    await server.clock.advance(0);
    await server.clock.advance(31_000);
    expect(client.ended).toBe(false);
    await server.clock.advance(2_000);
    await until(() => client.ended);
    expect(server.texts).toEqual([message("1")]);
    expect(server.transport.counters()).toMatchObject({ silentConnections: 1 });
  });

  it("closes on one who sends a message a byte a second", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.setNoDelay(true);
    client.socket.write(message("1"));
    await until(() => server.messages.length === 1);
    const slow = message("2", "x".repeat(1_000));
    for (let second = 0; second < 70 && server.closed.length === 0; second += 1) {
      client.socket.write(slow.slice(second, second + 1));
      for (let turn = 0; turn < 3; turn += 1) await setImmediate();
      await server.clock.advance(1_000);
    }
    await until(() => client.ended);
    expect(server.texts).toEqual([message("1")]);
    expect(server.transport.counters()).toMatchObject({ slowSenders: 1, silentConnections: 0 });
  });

  it("lets one message after the other take its time", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.setNoDelay(true);
    const stream = Array.from({ length: 10 }, (_, number) => message(String(number))).join("");
    const half = message("0").length / 2;
    for (let at = 0; at < stream.length; at += half) {
      client.socket.write(stream.slice(at, at + half));
      for (let turn = 0; turn < 3; turn += 1) await setImmediate();
      await server.clock.advance(20_000);
    }
    await until(() => server.messages.length === 10);
    expect(client.ended).toBe(false);
  });

  it("closes on a flood of keep-alives, but not on as many as may come in a second", async () => {
    const server = await listen({ maxKeepAlives: 50 });
    const client = await dial(server);
    client.socket.write("\r\n\r\n".repeat(50));
    await until(() => client.received.length === 100);
    await server.clock.advance(1_000);
    client.socket.write("\r\n\r\n".repeat(50));
    await until(() => client.received.length === 200);
    client.socket.write("\r\n\r\n");
    await until(() => client.ended && server.connections === 0);
    expect(server.transport.counters()).toMatchObject({ keepAlives: 101, keepAliveFloods: 1 });
  });

  it("closes on a message over the bound, and on a head over it, with the status of each", async () => {
    const server = await listen({ maxMessage: 1_000 });
    const [long, head] = [await dial(server), await dial(server)];
    long.socket.write(message("1", "x".repeat(1_000)).slice(0, 60));
    head.socket.write(`MESSAGE sip:x SIP/2.0\r\nSubject: ${"x".repeat(1_000)}`);
    await until(() => long.ended && head.ended);
    expect(long.received).toMatch(/^SIP\/2\.0 413 /);
    expect(head.received).toMatch(/^SIP\/2\.0 513 /);
    expect(server.transport.counters()).toMatchObject({ unframeableStreams: 2 });
  });

  it("keeps as many idle connections as it may, and a timer for all", async () => {
    const server = await listen({ maxConnectionsPerAddress: 200 });
    const clients: Client[] = [];
    for (let count = 0; count < 200; count += 1) clients.push(await dial(server));
    await until(() => server.connections === 200);
    expect(server.clock.pending).toBe(1);
    clients[199]?.socket.write(message("1"));
    await until(() => server.messages.length === 1);
    const refused = await dial(server);
    await until(() => refused.ended);
    for (const { socket } of clients) socket.destroy();
    await until(() => server.connections === 0);
    expect(server.transport.counters()).toMatchObject({ accepted: 200, connectionsRefused: 1 });
  });

  it("closes on an idle connection, but not while either side sends", async () => {
    const server = await listen({ idleTimeout: 60_000 });
    const client = await dial(server);
    client.socket.write(message("1"));
    await until(() => server.messages.length === 1);
    const from = server.messages[0]?.from as Peer;
    await server.clock.advance(59_000);
    server.transport.send(message("2"), from);
    await until(() => client.received === message("2"));
    await server.clock.advance(59_000);
    client.socket.write("\r\n\r\n");
    await until(() => client.received === `${message("2")}\r\n`);
    await server.clock.advance(59_000);
    expect(client.ended).toBe(false);
    await server.clock.advance(2_000);
    await until(() => client.ended);
    expect(server.transport.counters()).toMatchObject({ idleConnections: 1 });
  });

  it("closes on who is silent for longer than he was told to be, but not while keep-alives come", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.write(message("1"));
    await until(() => server.messages.length === 1);
    server.messages[0]?.from.connection?.expectBytes?.(30_000);
    await server.clock.advance(29_000);
    client.socket.write("\r\n\r\n");
    await until(() => client.received === "\r\n");
    await server.clock.advance(29_000);
    expect(client.ended).toBe(false);
    await server.clock.advance(2_000);
    await until(() => client.ended);
    expect(server.transport.counters()).toMatchObject({ missedKeepAlives: 1, idleConnections: 0 });
  });

  it("lets no timer run when there is no connection", async () => {
    const server = await listen();
    const client = await dial(server);
    await until(() => server.connections === 1);
    expect(server.clock.pending).toBe(1);
    client.socket.destroy();
    await until(() => server.connections === 0);
    await server.clock.advance(1_000);
    expect(server.clock.pending).toBe(0);
  });
});

describe("TCP transport, closing", () => {
  it("sends what is buffered, then ends its connections and frees its port", async () => {
    const server = await listen();
    const client = await dial(server);
    client.socket.write(message("1"));
    await until(() => server.messages.length === 1);
    const from = server.messages[0]?.from as Peer;
    const last = message("last", "x".repeat(500_000));
    server.transport.send(last, from);
    await server.transport.close();
    await until(() => client.ended);
    expect(client.received).toBe(last);
    expect(server.closed).toEqual([from.connection]);
    expect(server.clock.pending).toBe(0);
    const again = await listen({}, { port: server.peer.port });
    expect(again.peer).toEqual(server.peer);
  });

  it("fails what is sent afterwards, and closes twice", async () => {
    const [a, b] = [await listen(), await listen()];
    await a.transport.close();
    await a.transport.close();
    a.transport.send(message("1"), b.peer);
    await until(() => a.failures.length === 1);
    expect(a.failures[0]?.to).toBe(b.peer);
  });

  it("gives up connections that are being opened", async () => {
    const { transport, failures, connections } = await listen();
    const other = await listen();
    transport.send(message("1"), other.peer);
    await transport.close();
    await until(() => failures.length === 1);
    expect(connections).toBe(0);
    expect(other.messages).toEqual([]);
  });
});
