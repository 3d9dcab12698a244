import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { Dispatcher, type DispatcherLimits, Request } from "@sipkit/core";
import { VirtualClock } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { cleanups } from "../kit/cleanups.ts";
import { until } from "../kit/until.ts";

interface Server {
  readonly dispatcher: Dispatcher;
  readonly clock: VirtualClock;
  readonly port: number;
}

async function listen(leg: "tcp" | "ws", limits: DispatcherLimits = {}): Promise<Server> {
  const clock = new VirtualClock();
  const dispatcher = new Dispatcher({ clock, limits, legs: [`${leg}:127.0.0.1:0`] });
  const [{ port } = { port: 0 }] = await dispatcher.listen();
  cleanups.push(async () => {
    const closed = dispatcher.close();
    await clock.advance(10_000);
    await closed;
  });
  return { dispatcher, clock, port };
}

describe("a connection that we open", () => {
  it("is given up when its handshake takes too long, and what waited for it fails", async () => {
    const accepted: Socket[] = [];
    const mute = createServer((socket) => accepted.push(socket));
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    cleanups.push(() => {
      for (const socket of accepted) socket.destroy();
      mute.close();
    });
    const { dispatcher, clock } = await listen("ws");
    const uri = `sip:127.0.0.1:${(mute.address() as AddressInfo).port};transport=ws`;
    const { final } = dispatcher.request(
      new Request("MESSAGE", uri, {
        headers: {
          From: "<sip:alice@example.com>;tag=1",
          To: `<${uri}>`,
          "Call-ID": "1",
          CSeq: "1 MESSAGE",
          "Max-Forwards": "70",
        },
      }),
    );
    let isOver = false;
    const over = final.then(
      () => expect.fail("nobody answered"),
      ({ code }: { code: string }) => {
        isOver = true;
        return code;
      },
    );
    await until(() => accepted.length === 1);
    await clock.advance(9_000);
    expect(isOver).toBe(false);
    await clock.advance(2_000);
    expect(await over).toBe("SIP_TRANSPORT");
    expect(dispatcher.counters()).toMatchObject({ connectFailures: 1 });
    expect(dispatcher.stats()).toMatchObject({ connections: 0 });
  });
});

describe("a WebSocket message in pieces", () => {
  const UPGRADE = [
    "GET / HTTP/1.1",
    "Host: example.com",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol: sip",
    "\r\n",
  ].join("\r\n");

  /** A client on which a test can do what no browser does; `closeCode` tells why it was closed. */
  async function open(port: number): Promise<{ socket: Socket; closeCode(): number | undefined }> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    cleanups.push(() => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
    });
    socket.write(UPGRADE);
    await until(() => received.includes("\r\n\r\n"));
    received = received.subarray(received.indexOf("\r\n\r\n") + 4);
    return {
      socket,
      closeCode: () => (received[0] === 0x88 ? received.readUInt16BE(2) : undefined),
    };
  }

  /** One byte in a frame that isn't the last of its message, with a mask of zeros. */
  const fragment = (isFirst: boolean): Buffer =>
    Buffer.from([isFirst ? 0x01 : 0x00, 0x81, 0, 0, 0, 0, 0x20]);

  it("may have 128 fragments: with more its connection is closed with 1008", async () => {
    const { dispatcher, port } = await listen("ws", { maxKeepAlives: 1_000 });
    const { socket, closeCode } = await open(port);
    socket.write(Buffer.concat(Array.from({ length: 128 }, (_, n) => fragment(n === 0))));
    // The pong tells that they were taken.
    socket.write(Buffer.from([0x89, 0x80, 0, 0, 0, 0]));
    await once(socket, "data");
    expect(closeCode()).toBeUndefined();
    expect(dispatcher.counters()).toMatchObject({ unframeableStreams: 0 });
    const other = await open(port);
    other.socket.write(Buffer.concat(Array.from({ length: 129 }, (_, n) => fragment(n === 0))));
    await until(() => other.closeCode() !== undefined);
    expect(other.closeCode()).toBe(1008);
    expect(dispatcher.counters()).toMatchObject({ unframeableStreams: 1 });
  });

  it("may come in 1,024 reads: with more its connection is closed with 1008", async () => {
    const { dispatcher, port } = await listen("ws");
    const { socket, closeCode } = await open(port);
    let sent = 0;
    // A frame of 65,535 bytes, of which one comes at a time; some are read together.
    socket.write(Buffer.from([0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0]));
    while (closeCode() === undefined && sent < 3_000) {
      socket.write(" ");
      sent += 1;
      await setImmediate();
    }
    expect(closeCode()).toBe(1008);
    expect(sent).toBeGreaterThan(1_000);
    expect(dispatcher.counters()).toMatchObject({ unframeableStreams: 1 });
  });
});

it("one who doesn't close his half after a fault is closed two seconds later", async () => {
  const { dispatcher, clock, port } = await listen("tcp");
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  cleanups.push(() => socket.destroy());
  socket.resume().write("MESSAGE sip:x SIP/2.0\r\n\r\n");
  await once(socket, "end");
  await clock.advance(1_000);
  expect(dispatcher.stats()).toMatchObject({ connections: 1 });
  await clock.advance(2_000);
  await until(() => dispatcher.stats().connections === 0);
  expect(dispatcher.counters()).toMatchObject({ unframeableStreams: 1 });
});
