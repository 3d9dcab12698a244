import { describe, expect, it } from "vitest";
import { GuardedServer, RawConnection, until } from "./guarded-server.ts";
import { message, REGISTER } from "./message.ts";

/** A handshake with further header lines. */
function upgrade(lines: readonly string[] = []): string {
  return [
    "GET / HTTP/1.1",
    "Host: example.com",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol: sip",
    ...lines,
    "",
    "",
  ].join("\r\n");
}

/** A whole text frame of less than 64 KiB, masked with zeros. */
function text(payload: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x81fe, 0);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, Buffer.from(payload, "latin1")]);
}

async function open(): Promise<{ readonly server: GuardedServer; readonly port: number }> {
  const server = await GuardedServer.start({ legs: [{ listen: "ws:127.0.0.1:0" }] });
  return { server, port: server.dispatcher.legs.at(-1)?.port ?? 0 };
}

/** That a browser gets in and is challenged, whatever came before. */
async function expectBrowser(port: number): Promise<void> {
  const browser = await RawConnection.open(port);
  browser.socket.write(upgrade());
  const Via = "SIP/2.0/WS x.invalid;branch=z9hG4bKbrowser";
  browser.socket.write(text(message(REGISTER, { Via })));
  await until(() => browser.received.includes("WWW-Authenticate"));
  browser.socket.destroy();
}

async function expectNobody(server: GuardedServer): Promise<void> {
  await until(() => server.dispatcher.stats().connections === 0);
  expect(server.store.users).toBe(0);
  await server.end();
}

describe("AST-2018-009: a handshake of many headers", () => {
  it.each([
    ["200 headers", Array.from({ length: 200 }, (_, n) => `X-${n}: a`), 101],
    ["200 headers of one name", Array.from({ length: 200 }, () => "Cookie: a=b"), 101],
    ["200 subprotocols", [`X: ${"sip, ".repeat(200)}x`], 101],
    [
      "more bytes than HTTP takes",
      Array.from({ length: 200 }, (_, n) => `X-${n}: ${"a".repeat(200)}`),
      431,
    ],
    ["a header of 60,000 bytes", [`X: ${"a".repeat(60_000)}`], 431],
  ] as const)("%s: in, or refused, and the next one gets in", async (_what, lines, status) => {
    const { server, port } = await open();
    const connection = await RawConnection.open(port);
    connection.socket.write(upgrade(lines));
    await until(() => connection.received.includes("\r\n\r\n"));
    expect(connection.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    connection.socket.destroy();
    await expectBrowser(port);
    await expectNobody(server);
  });
});

describe("CVE-2018-7287 (AST-2018-006), reSIProcate 478, Kamailio cd7589a: frames", () => {
  it.each([
    ["a length of 2^63", "81ff8000000000000000" + "00000000", 1009],
    ["a length of 2^64 - 1", "81ffffffffffffffffff" + "00000000", 1009],
    ["a length of 2^32 + 1", "81ff0000000100000001" + "00000000", 1009],
    ["a ping of 126 bytes", `89fe007e00000000${"00".repeat(126)}`, 1002],
    ["a close of 65,536 bytes", "88ff0000000000010000" + "00000000", 1002],
    ["a fragmented ping", "098000000000", 1002],
    ["a frame without a mask", "810548656c6c6f", 1002],
  ])("%s: closed, and the next one gets in", async (_what, bytes, code) => {
    const { server, port } = await open();
    const connection = await RawConnection.open(port);
    connection.socket.write(upgrade());
    await until(() => connection.received.includes("\r\n\r\n"));
    const head = connection.received.indexOf("\r\n\r\n") + 4;
    connection.socket.write(Buffer.from(bytes, "hex"));
    await until(() => connection.received.length >= head + 4);
    const close = Buffer.from(connection.received.slice(head), "latin1");
    expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, code]);
    expect(server.dispatcher.counters()).toMatchObject({ unframeableStreams: 1 });
    connection.socket.destroy();
    await expectBrowser(port);
    await expectNobody(server);
  });

  it.each([
    ["empty frames", "818000000000"],
    ["empty pings", "898000000000"],
    ["empty pongs", "8a8000000000"],
  ])("a flood of %s: closed, and the next one gets in", async (_what, bytes) => {
    const { server, port } = await open();
    const connection = await RawConnection.open(port);
    connection.socket.write(upgrade());
    connection.socket.write(Buffer.from(bytes.repeat(1_000), "hex"));
    await until(() => connection.isClosed);
    expect(server.dispatcher.counters()).toMatchObject({ keepAliveFloods: 1 });
    connection.socket.destroy();
    await expectBrowser(port);
    await expectNobody(server);
  });
});
