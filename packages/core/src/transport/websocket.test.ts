import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { cleanups } from "../../../../test/kit/cleanups.ts";
import { until } from "../../../../test/kit/until.ts";
import type { Peer } from "../arrival.ts";
import { Heard } from "../test-kit/heard.ts";
import type { ConnectionTransport } from "./connection-transport.ts";
import type { StreamLimits } from "./stream-limits.ts";
import { webSocketTransport } from "./websocket.ts";
import { loadWebSockets } from "./websocket-module.ts";
import type { WebSocketOptions } from "./websocket-options.ts";

class Listening extends Heard {
  readonly transport: ConnectionTransport;
  peer: Peer = { protocol: "ws", address: "", port: 0 };

  constructor(limits: Partial<StreamLimits>, websocket: WebSocketOptions, adopted?: Server) {
    super();
    const address = adopted ? "" : "127.0.0.1";
    this.transport = webSocketTransport(
      { protocol: "ws", address, port: 0 },
      { websocket },
      this.context(limits),
      adopted,
    );
  }

  async listen(): Promise<this> {
    const sink = this.sink((text, to) => this.transport.send(text, to));
    const { address, port } = await this.transport.listen(sink);
    this.peer = { protocol: "ws", address, port };
    return this;
  }

  get connections(): number | undefined {
    return this.transport.stats().connections;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.peer.port}`;
  }
}

async function listen(
  limits: Partial<StreamLimits> = {},
  websocket: WebSocketOptions = {},
  adopted?: Server,
): Promise<Listening> {
  const listening = await new Listening(limits, websocket, adopted).listen();
  cleanups.push(async () => {
    const closed = listening.transport.close();
    await listening.clock.advance(10_000);
    await closed;
  });
  return listening;
}

/** A well-behaved client. */
class Client {
  readonly ws: WebSocket;
  readonly received: { text: string; isBinary: boolean }[] = [];
  code: number | undefined;

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on("message", (data: Buffer, isBinary) => {
      this.received.push({ text: data.toString("latin1"), isBinary });
    });
    ws.on("close", (code) => {
      this.code = code;
    });
    ws.on("error", () => {});
    cleanups.push(() => ws.terminate());
  }

  static async open(server: Listening, path = ""): Promise<Client> {
    const client = new Client(new WebSocket(`${server.url}${path}`, "sip"));
    await once(client.ws, "open");
    return client;
  }

  get texts(): string[] {
    return this.received.map(({ text }) => text);
  }
}

/** A socket on which a test can do what no client does. */
class RawClient {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    for (const event of ["end", "error", "close"]) {
      socket.on(event, () => {
        this.ended = true;
      });
    }
    cleanups.push(() => socket.destroy());
  }

  static async connect({ peer }: Listening): Promise<RawClient> {
    const socket = connect({ host: peer.address, port: peer.port, allowHalfOpen: true });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** Connects and upgrades. */
  static async open(server: Listening): Promise<RawClient> {
    const client = await RawClient.connect(server);
    client.socket.write(upgrade());
    await until(() => client.text.includes("\r\n\r\n"));
    expect(client.text).toMatch(/^HTTP\/1\.1 101 /);
    client.received = client.received.subarray(client.received.indexOf("\r\n\r\n") + 4);
    return client;
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  /** The status code of the close frame that came last. */
  get closeCode(): number | undefined {
    const at = this.received.lastIndexOf(0x88);
    return at < 0 ? undefined : this.received.readUInt16BE(at + 2);
  }
}

function upgrade(headers: Readonly<Record<string, string>> = {}, path = "/"): string {
  const all = {
    Host: "example.com",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol": "sip",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value ? `${name}: ${value}\r\n` : "",
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

const CONTINUATION = 0x0;
const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;

/** A frame with a mask of zeros, which changes nothing. */
function frame(opcode: number, payload = "", { fin = true, masked = true } = {}): Buffer {
  const bytes = Buffer.from(payload, "latin1");
  const header = Buffer.alloc(4);
  header[0] = (fin ? 0x80 : 0) | opcode;
  header[1] = (masked ? 0x80 : 0) | Math.min(bytes.length, 126);
  header.writeUInt16BE(bytes.length, 2);
  const head = bytes.length < 126 ? header.subarray(0, 2) : header;
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), bytes]);
}

/** RFC 7118 §5: without Content-Length, as browsers may send it. */
function message(name: string, body = ""): string {
  return `MESSAGE sip:${name} SIP/2.0\r\nCall-ID: c\r\n\r\n${body}`;
}

describe("WebSocket transport, RFC 7118", () => {
  it("carries both sides' messages over one connection, whoever opened it", async () => {
    const [a, b] = [await listen(), await listen()];
    b.answer = (text) => text.replace("MESSAGE", "ANSWER");
    a.transport.send(message("1"), b.peer);
    a.transport.send(message("2"), { ...b.peer });
    await until(() => a.messages.length === 2);
    expect(b.texts).toEqual([message("1"), message("2")]);
    expect(a.texts).toEqual(b.texts.map((text) => text.replace("MESSAGE", "ANSWER")));
    expect(a.transport.counters()).toMatchObject({ dialled: 1, accepted: 0 });
    expect(b.transport.counters()).toMatchObject({ dialled: 0, accepted: 1, failedHandshakes: 0 });
    const from = b.messages[0]?.from as Peer;
    expect(from).toMatchObject({ protocol: "ws", address: "127.0.0.1" });
    expect(b.transport.connected(from.connection?.id ?? 0)).toBe(from);
  });

  it("takes text and binary, and sends binary where it is no UTF-8", async () => {
    const server = await listen();
    server.answer = (text) => text;
    const client = await Client.open(server);
    const utf8 = Buffer.from(message("1", "é"), "utf8");
    const latin1 = Buffer.from(message("2", "é"), "latin1");
    client.ws.send(utf8.toString("utf8"));
    client.ws.send(utf8);
    client.ws.send(latin1);
    await until(() => client.received.length === 3);
    expect(client.received).toEqual([
      { text: utf8.toString("latin1"), isBinary: false },
      { text: utf8.toString("latin1"), isBinary: false },
      { text: latin1.toString("latin1"), isBinary: true },
    ]);
  });

  it("puts fragments together, with a ping between them", async () => {
    const server = await listen();
    const client = await RawClient.open(server);
    const text = message("1", "body");
    client.socket.write(
      Buffer.concat([
        frame(TEXT, text.slice(0, 9), { fin: false }),
        frame(PING, "x"),
        frame(CONTINUATION, "", { fin: false }),
        frame(CONTINUATION, text.slice(9)),
      ]),
    );
    await until(() => server.messages.length === 1 && client.received.length > 0);
    expect(server.texts).toEqual([text]);
    expect(client.received).toEqual(frame(0xa, "x", { masked: false }));
  });

  it("answers a double CRLF with a CRLF, and takes one, and an empty frame, as a sign of life", async () => {
    const server = await listen();
    const client = await Client.open(server);
    for (const text of ["\r\n", "", "\r\n\r\n"]) client.ws.send(text);
    await until(() => client.received.length === 1);
    expect(client.texts).toEqual(["\r\n"]);
    expect(server.messages).toEqual([]);
    expect(server.transport.counters()).toMatchObject({ keepAlives: 3, unframeableStreams: 0 });
  });

  it.each([
    ["a body shorter than Content-Length", "l: 5", "body", "Body shorter"],
    ["a body longer than Content-Length", "l: 3", "body", "Body longer"],
    ["two different Content-Lengths", "l: 4\r\nContent-Length: 5", "body", "Two different"],
    ["a Content-Length that is no number", "l: +4", "body", "Content-Length is not a number"],
    ["a Content-Length with a second message behind it", "l: 0", message("2"), "Body longer"],
    ["a Content-Length of 4294967328", "l: 4294967328", message("2"), "Body shorter"],
  ])("answers %s with 400 and closes", async (_what, header, body, fault) => {
    const server = await listen();
    const client = await Client.open(server);
    client.ws.send(message("1"));
    client.ws.send(`MESSAGE sip:x SIP/2.0\r\n${header}\r\n\r\n${body}`);
    client.ws.send(message("3"));
    await until(() => client.code !== undefined);
    expect(client.texts).toEqual([expect.stringContaining(`SIP/2.0 400 ${fault}`)]);
    expect(client.code).toBe(1002);
    expect(server.texts).toEqual([message("1")]);
    expect(server.transport.counters()).toMatchObject({ unframeableStreams: 1 });
    await until(() => server.connections === 0);
  });

  it("answers a frame without a whole head with 400", async () => {
    const server = await listen();
    const client = await Client.open(server);
    client.ws.send("MESSAGE sip:x SIP/2.0\r\nCall-ID: c\r\n");
    await until(() => client.code !== undefined);
    expect(server.faults).toMatchObject([{ error: { status: 400 } }]);
  });

  it("names the domain that led to a server, its path and the subprotocol", async () => {
    const site = createServer();
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    cleanups.push(() => site.close());
    const asked = once(site, "upgrade");
    const { transport, failures } = await listen({}, { path: "/sip" });
    const { port } = site.address() as AddressInfo;
    transport.send(message("1"), {
      protocol: "ws",
      address: "127.0.0.1",
      port,
      domain: "example.com",
    });
    const [{ url, headers }, socket] = await asked;
    expect(url).toBe("/sip");
    expect(headers).toMatchObject({
      host: `example.com:${port}`,
      "sec-websocket-protocol": "sip",
    });
    expect(headers).not.toHaveProperty("sec-websocket-extensions");
    socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    await until(() => failures.length === 1);
    expect(failures[0]?.error.message).toContain("404");
    expect(transport.counters()).toMatchObject({ connectFailures: 1 });
    await until(() => transport.stats().connections === 0);
  });

  it("fails what is sent to a server that does not choose the subprotocol", async () => {
    const site = createServer();
    site.on("upgrade", (_request, socket) => {
      socket.end(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      );
    });
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    cleanups.push(() => site.close());
    const { transport, failures } = await listen();
    const { port } = site.address() as AddressInfo;
    transport.send(message("1"), { protocol: "ws", address: "127.0.0.1", port });
    await until(() => failures.length === 1);
  });

  it("fails what is sent to a client that is gone, and dials nobody", async () => {
    const server = await listen();
    const client = await Client.open(server);
    client.ws.send(message("1"));
    await until(() => server.messages.length === 1);
    client.ws.close();
    await until(() => server.closed.length === 1);
    server.transport.send(message("2"), server.messages[0]?.from as Peer);
    await until(() => server.failures.length === 1);
    expect(server.transport.counters()).toMatchObject({ dialled: 0 });
  });

  it("asks for the ws package by name where it is missing", async () => {
    const cause = new Error("Cannot find package");
    await expect(loadWebSockets(() => Promise.reject(cause))).rejects.toMatchObject({
      code: "SIP_NO_WS",
      message: expect.stringContaining("npm install ws"),
      cause,
    });
  });
});

describe("WebSocket transport, handshakes", () => {
  it.each<[string, string, number, WebSocketOptions?]>([
    ["no subprotocol", upgrade({ "Sec-WebSocket-Protocol": "" }), 400],
    ["another subprotocol", upgrade({ "Sec-WebSocket-Protocol": "xmpp, SIP, sips" }), 400],
    ["another path", upgrade({}, "/other"), 404, { path: "/sip" }],
    ["a path that begins like ours", upgrade({}, "/sip/../x"), 404, { path: "/sip" }],
    ["another origin", upgrade({ Origin: "https://x" }), 403, { allowOrigin: () => false }],
    [
      "a hook that throws",
      upgrade(),
      403,
      {
        allowOrigin() {
          throw new Error("x");
        },
      },
    ],
    [
      "a hook that answers later",
      upgrade(),
      403,
      { allowOrigin: (async () => true) as unknown as () => boolean },
    ],
    ["no key", upgrade({ "Sec-WebSocket-Key": "" }), 400],
    ["another version", upgrade({ "Sec-WebSocket-Version": "7" }), 400],
    ["no wish to upgrade", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426],
    [
      "no wish to upgrade on another path",
      "GET /x HTTP/1.1\r\nHost: x\r\n\r\n",
      404,
      { path: "/sip" },
    ],
    ["SIP", "OPTIONS sip:x SIP/2.0\r\n\r\n", 400],
    ["a header of 20,000 bytes", upgrade({ Cookie: "x".repeat(20_000) }), 431],
  ])("are refused with %s", async (_what, request, status, websocket) => {
    const server = await listen({}, websocket);
    const client = await RawClient.connect(server);
    client.socket.write(request);
    await until(() => client.ended);
    expect(client.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    client.socket.destroy();
    await until(() => server.connections === 0);
    expect(server.transport.counters()).toMatchObject({ accepted: 0, failedHandshakes: 1 });
    expect(server.closed).toEqual([]);
  });

  it("are accepted with sip among the subprotocols, on the path, from an origin that is let in", async () => {
    const origins: (string | undefined)[] = [];
    const server = await listen(
      {},
      {
        path: "/sip",
        allowOrigin(origin, request) {
          origins.push(origin, request.url);
          return origin === "https://example.com";
        },
      },
    );
    const client = await RawClient.connect(server);
    const headers = {
      Origin: "https://example.com",
      "Sec-WebSocket-Protocol": "xmpp, sip",
      "Sec-WebSocket-Extensions": "permessage-deflate",
    };
    client.socket.write(
      Buffer.concat([Buffer.from(upgrade(headers, "/sip?a=b")), frame(TEXT, message("1"))]),
    );
    await until(() => server.messages.length === 1 && client.text.includes("\r\n\r\n"));
    expect(client.text).toMatch(/^HTTP\/1\.1 101 /);
    expect(client.text).toContain("\r\nSec-WebSocket-Protocol: sip\r\n");
    expect(client.text).not.toContain("Extensions");
    expect(origins).toEqual(["https://example.com", "/sip?a=b"]);
  });

  it("end when they take too long, however far they came", async () => {
    const server = await listen();
    const clients = await Promise.all(
      ["", "GET / HTTP/1.1\r\nHo"].map(async (start) => {
        const client = await RawClient.connect(server);
        client.socket.write(start);
        return client;
      }),
    );
    await until(() => server.connections === 2);
    await server.clock.advance(9_000);
    clients[1]?.socket.write("st: x\r\n");
    await server.clock.advance(1_000);
    await until(() => clients.every(({ ended }) => ended) && server.connections === 0);
    expect(server.transport.counters()).toMatchObject({ failedHandshakes: 2, accepted: 0 });
  });

  it("count against the bounds from the beginning", async () => {
    const server = await listen({ maxConnectionsPerAddress: 2 });
    const handshaking = await RawClient.connect(server);
    await RawClient.open(server);
    await until(() => server.connections === 2);
    const third = await RawClient.connect(server);
    await until(() => third.ended);
    expect(server.transport.counters()).toMatchObject({ accepted: 1, connectionsRefused: 1 });
    handshaking.socket.destroy();
    await until(() => server.connections === 1);
    await RawClient.open(server);
  });
});

describe("WebSocket transport, bounds", () => {
  it.each([
    ["a length of 2^63", Buffer.from("81ff800000000000000000000000", "hex"), 1009],
    ["a length of 2^63 - 1", Buffer.from("81ff7fffffffffffffff00000000", "hex"), 1009],
    ["a message over the bound", frame(TEXT, message("1", "x".repeat(1_000))), 1009],
    [
      "fragments over the bound",
      Buffer.concat([
        frame(TEXT, "x".repeat(600), { fin: false }),
        frame(CONTINUATION, "x".repeat(600)),
      ]),
      1009,
    ],
    ["a frame that isn't masked", frame(TEXT, message("1"), { masked: false }), 1002],
    ["a reserved opcode", frame(0x3, "x"), 1002],
    ["a reserved bit", Buffer.from("c18100000000ff", "hex"), 1002],
    ["a fragmented ping", frame(PING, "", { fin: false }), 1002],
    ["a continuation of nothing", frame(CONTINUATION, "x"), 1002],
    ["text that is no UTF-8", frame(TEXT, message("\xff")), 1007],
  ])("close on %s", async (_what, bytes, code) => {
    const server = await listen({ maxMessage: 1_000 });
    const client = await RawClient.open(server);
    client.socket.write(bytes);
    await until(() => client.closeCode !== undefined);
    expect(client.closeCode).toBe(code);
    expect(server.messages).toEqual([]);
    expect(server.closed).toHaveLength(1);
    expect(server.transport.counters()).toMatchObject({ unframeableStreams: 1 });
    // One who doesn't close in turn is closed.
    await server.clock.advance(3_000);
    await until(() => server.connections === 0);
  });

  it.each<[string, (count: number) => Buffer]>([
    ["pings", (count) => Buffer.concat(Array.from({ length: count }, () => frame(PING)))],
    [
      "empty fragments",
      (count) =>
        Buffer.concat([
          frame(TEXT, "", { fin: false }),
          ...Array.from({ length: count - 1 }, () => frame(CONTINUATION, "", { fin: false })),
        ]),
    ],
    ["empty frames", (count) => Buffer.concat(Array.from({ length: count }, () => frame(TEXT)))],
    [
      "CRLFs",
      (count) => Buffer.concat(Array.from({ length: count }, () => frame(TEXT, "\r\n\r\n"))),
    ],
  ])("close on a flood of %s, but not on as many as may come in a second", async (_what, many) => {
    const server = await listen({ maxKeepAlives: 50 });
    const client = await RawClient.open(server);
    client.socket.write(many(50));
    client.socket.write(frame(PING, "last"));
    await until(() => server.connections === 0 && client.ended);
    expect(server.transport.counters()).toMatchObject({ keepAliveFloods: 1 });
    const other = await RawClient.open(server);
    other.socket.write(Buffer.concat([many(49), frame(PING, "first")]));
    await until(() => other.text.includes("first"));
    await server.clock.advance(1_000);
    other.socket.write(frame(PING, "last"));
    await until(() => other.text.includes("last"));
    expect(other.ended).toBe(false);
  });

  it("close on one who pings and does not read", async () => {
    const server = await listen({ maxKeepAlives: 1_000_000, maxBuffered: 100_000 });
    const client = await RawClient.open(server);
    client.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 100 }, () => frame(PING, "x".repeat(125))));
    while (server.connections === 1 && !client.ended) {
      if (client.socket.writableLength < 1_000_000) client.socket.write(pings);
      await setImmediate();
    }
    await until(() => server.connections === 0);
    expect(server.transport.counters()).toMatchObject({ slowReaders: 1 });
  });

  it("close on a reader that is too slow", async () => {
    const server = await listen({ maxBuffered: 100_000 });
    const client = await RawClient.open(server);
    client.socket.write(frame(TEXT, message("1")));
    await until(() => server.messages.length === 1);
    client.socket.pause();
    const from = server.messages[0]?.from as Peer;
    let sent = 0;
    while (from.connection?.open && sent < 2_000) {
      server.transport.send(message("big", "x".repeat(50_000)), from);
      sent += 1;
      await setImmediate();
    }
    expect(from.connection?.open).toBe(false);
    await until(() => server.connections === 0);
    expect(server.transport.counters()).toMatchObject({ slowReaders: 1 });
  });

  it("close on half a frame, and half a message, and then silence", async () => {
    const server = await listen();
    const [half, fragment] = [await RawClient.open(server), await RawClient.open(server)];
    half.socket.write(
      Buffer.concat([frame(TEXT, message("1")), frame(TEXT, message("2")).subarray(0, 20)]),
    );
    fragment.socket.write(
      Buffer.concat([frame(TEXT, message("1")), frame(TEXT, "x", { fin: false })]),
    );
    await until(() => server.messages.length === 2);
    await server.clock.advance(31_000);
    expect(server.closed).toEqual([]);
    await server.clock.advance(2_000);
    await until(() => half.closeCode === 1001 && fragment.closeCode === 1001);
    expect(server.transport.counters()).toMatchObject({ silentConnections: 2 });
  });

  it("close on one who sends a message a byte a second", async () => {
    const server = await listen();
    const client = await RawClient.open(server);
    client.socket.write(frame(TEXT, message("0")));
    await until(() => server.messages.length === 1);
    const bytes = frame(TEXT, message("1", "x".repeat(100)));
    client.socket.setNoDelay(true);
    for (let second = 0; second < 70 && server.closed.length === 0; second += 1) {
      client.socket.write(bytes.subarray(second, second + 1));
      for (let turn = 0; turn < 3; turn += 1) await setImmediate();
      await server.clock.advance(1_000);
    }
    await until(() => client.closeCode === 1001);
    expect(server.transport.counters()).toMatchObject({ slowSenders: 1, silentConnections: 0 });
  });

  it("close on one who says nothing, whatever he pings", async () => {
    const server = await listen();
    const client = await RawClient.open(server);
    await server.clock.advance(31_000);
    client.socket.write(frame(PING, "x"));
    await until(() => client.received.length > 0);
    await server.clock.advance(2_000);
    await until(() => client.closeCode === 1001);
    expect(server.transport.counters()).toMatchObject({ silentConnections: 1 });
  });
});

describe("WebSocket transport, closing", () => {
  it("sends what is buffered, then says that it goes away", async () => {
    const server = await listen();
    const client = await Client.open(server);
    client.ws.send(message("1"));
    await until(() => server.messages.length === 1);
    server.transport.send(message("last"), server.messages[0]?.from as Peer);
    await server.transport.close();
    await until(() => client.code !== undefined);
    expect(client.texts).toEqual([message("last")]);
    expect(client.code).toBe(1001);
    expect(server.clock.pending).toBe(0);
  });

  it("ends a connection whose other side closes and leaves its socket open", async () => {
    const server = await listen();
    server.answer = () => "answer";
    const client = await RawClient.open(server);
    client.socket.write(Buffer.concat([frame(TEXT, message("1")), frame(CLOSE, "\x03\xe8")]));
    await until(() => server.closed.length === 1);
    expect(server.messages[0]?.from.connection?.open).toBe(false);
    await until(() => client.ended);
    expect(client.received).toEqual(
      Buffer.concat([
        frame(TEXT, "answer", { masked: false }),
        frame(CLOSE, "\x03\xe8", { masked: false }),
      ]),
    );
    await server.clock.advance(3_000);
    await until(() => server.connections === 0);
  });

  it("ends handshakes that are under way", async () => {
    const server = await listen();
    const client = await RawClient.connect(server);
    await until(() => server.connections === 1);
    await server.transport.close();
    await until(() => client.ended);
    expect(server.connections).toBe(0);
  });
});

describe("WebSocket transport, on a server of the caller's", () => {
  async function site(): Promise<Server> {
    const server = createServer((_request, response: ServerResponse) => response.end("site"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return server;
  }

  it("takes what is for its path, and leaves pages and other WebSockets alone", async () => {
    const server = await site();
    const others: (string | undefined)[] = [];
    server.on("upgrade", ({ url }, socket) => {
      if (url === "/sip") return;
      others.push(url);
      socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n");
    });
    const leg = await listen({}, { path: "/sip" }, server);
    expect(leg.peer.port).toBe((server.address() as AddressInfo).port);
    const client = await Client.open(leg, "/sip");
    client.ws.send(message("1"));
    await until(() => leg.messages.length === 1);
    const page = await RawClient.connect(leg);
    page.socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await until(() => page.text.includes("site"));
    const other = await RawClient.connect(leg);
    other.socket.write(upgrade({}, "/chat"));
    await until(() => other.ended);
    expect(other.text).toMatch(/^HTTP\/1\.1 418/);
    expect(others).toEqual(["/chat"]);
    expect(leg.transport.counters()).toMatchObject({ accepted: 1, failedHandshakes: 0 });
  });

  it("refuses what nobody else could answer", async () => {
    const leg = await listen({}, { path: "/sip" }, await site());
    const client = await RawClient.connect(leg);
    client.socket.write(upgrade({}, "/chat"));
    await until(() => client.ended);
    expect(client.text).toMatch(/^HTTP\/1\.1 404 /);
  });

  it("closes its connections and lets the server live on", async () => {
    const server = await site();
    const leg = await listen({}, {}, server);
    const client = await Client.open(leg);
    client.ws.send(message("1"));
    await until(() => leg.messages.length === 1);
    await leg.transport.close();
    await until(() => client.code === 1001);
    expect(server.listening).toBe(true);
    expect(server.listenerCount("upgrade")).toBe(0);
  });
});
