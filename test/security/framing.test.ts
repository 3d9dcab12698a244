import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { GuardedServer, RawConnection, until } from "./guarded-server.ts";
import { message, REGISTER } from "./message.ts";

async function open(): Promise<{ readonly server: GuardedServer; readonly port: number }> {
  const server = await GuardedServer.start({ legs: [{ listen: "tcp:127.0.0.1:0" }] });
  return { server, port: server.dispatcher.legs.at(-1)?.port ?? 0 };
}

/** That somebody else, at another address, gets in and is challenged. */
async function expectOther(port: number): Promise<void> {
  const socket: Socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
  await once(socket, "connect");
  socket.write(message(REGISTER, { Via: "SIP/2.0/TCP 127.0.0.2;branch=z9hG4bKother" }));
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^SIP\/2.0 401 /);
  socket.destroy();
}

async function connections(server: GuardedServer, count: number): Promise<void> {
  await until(() => server.dispatcher.stats().connections === count);
}

/** Lets time pass by seconds, with turns of the event loop between for what real sockets do. */
async function pass(server: GuardedServer, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await server.net.run("1s");
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
  }
}

describe("AST-2016-005: connections that say nothing", () => {
  it.each([
    ["nothing", ""],
    ["half a start line", "REGIST"],
    ["half a header", `${REGISTER} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0`],
    ["half a body", message(REGISTER, { "Content-Length": "900" }, "v=0")],
    ["line ends", "\r\n\r\n"],
  ])(
    "a hundred with %s keep nobody else out, and are closed in their time",
    async (_what, start) => {
      const { server, port } = await open();
      const idle: RawConnection[] = [];
      for (let n = 0; n < 100; n += 1) {
        const connection = await RawConnection.open(port);
        connection.socket.write(start);
        idle.push(connection);
      }
      await connections(server, 100);
      const onemore = await RawConnection.open(port);
      await until(() => onemore.isClosed);
      expect(server.dispatcher.counters()).toMatchObject({ accepted: 100, connectionsRefused: 1 });
      await expectOther(port);
      await connections(server, 100);
      await pass(server, 34);
      await until(() => idle.every(({ isClosed }) => isClosed));
      expect(server.dispatcher.counters()).toMatchObject({ silentConnections: 100 });
      for (const { socket } of idle) socket.destroy();
      await connections(server, 0);
      await server.end();
    },
  );

  it("a byte a second is no message either: closed after a minute", async () => {
    const { server, port } = await open();
    const slow = await RawConnection.open(port);
    await connections(server, 1);
    const bytes = message(REGISTER);
    for (let second = 0; second < 70 && !slow.isClosed; second += 1) {
      slow.socket.write(bytes.slice(second, second + 1));
      await pass(server, 1);
    }
    await until(() => slow.isClosed);
    slow.socket.destroy();
    await connections(server, 0);
    expect(server.store.users).toBe(0);
    await server.end();
  });
});

describe("AST-2018-007: connections that end early", () => {
  const BODY = message(REGISTER, { "Content-Length": "900", Contact: "*", Expires: "0" }, "v=0");

  it.each([
    ["at once", ""],
    ["within the start line", "REGI"],
    ["within the headers", BODY.slice(0, 100)],
    ["within the body", BODY],
    ["after a whole request, before its answer", message(REGISTER)],
  ])("%s: nothing of it is run twice, nothing is left", async (_what, bytes) => {
    const { server, port } = await open();
    for (const end of ["destroy", "end", "resetAndDestroy"] as const) {
      const connection = await RawConnection.open(port);
      await connections(server, 1);
      connection.socket.write(bytes);
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
      connection.socket[end]();
      await connections(server, 0);
      connection.socket.destroy();
    }
    await expectOther(port);
    await connections(server, 0);
    expect(server.dispatcher.counters()).toMatchObject({ accepted: 4 });
    expect(server.store.users).toBe(0);
    await server.end();
  });
});
