import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { ca, certificate } from "../../../../test/certificates/certificates.ts";
import { cleanups } from "../../../../test/kit/cleanups.ts";
import { hasIPv6 } from "../../../../test/kit/has-ipv6.ts";
import { until } from "../../../../test/kit/until.ts";
import type { Peer } from "../arrival.ts";
import type { SipError } from "../errors.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { TransportLeg } from "./leg.ts";
import type { LegOptions } from "./leg-address.ts";

const text = "MESSAGE sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
const clock = new VirtualClock();

class Listening {
  readonly leg: TransportLeg;
  readonly messages: Peer[] = [];
  readonly failures: SipError[] = [];

  constructor(options: LegOptions) {
    let last = 0;
    const ids = (): number => {
      last += 1;
      return last;
    };
    this.leg = new TransportLeg(options, { clock, ids });
  }

  async listen(): Promise<this> {
    await this.leg.listen({
      message: (_bytes, from) => {
        this.messages.push(from);
        this.leg.send(text, from);
      },
      malformed: () => {},
      failed: (error) => this.failures.push(error),
      closed: () => {},
    });
    return this;
  }
}

const given = {
  udp: (): DatagramSocket => createSocket("udp4"),
  tcp: (): Server => createServer(),
  tls: (): Server => createTlsServer(certificate("example")),
} as const;

type Protocol = keyof typeof given;
const protocols = ["udp", "tcp", "tls"] as const;

/** A socket or server as a caller makes it, and closes it in the end. */
function make(protocol: Protocol): DatagramSocket | Server {
  const socket = given[protocol]();
  cleanups.push(() => new Promise<void>((resolve) => close(socket, resolve)));
  return socket;
}

function close(socket: DatagramSocket | Server, done: () => void): void {
  try {
    socket.close(done);
  } catch {
    done(); // it was never open
  }
}

function start(socket: DatagramSocket | Server, port = 0): void {
  if ("bind" in socket) socket.bind(port, "127.0.0.1");
  else socket.listen(port, "127.0.0.1");
}

/** Sends a message as a stranger; gives what comes back, or `undefined` when the other side closes. */
async function ask(protocol: Protocol, port: number): Promise<string | undefined> {
  if (protocol === "udp") {
    const socket = createSocket("udp4");
    socket.send(text, port, "127.0.0.1");
    const [answer] = await once(socket, "message");
    socket.close();
    return String(answer);
  }
  const client = await dial(protocol, port);
  client.write(text);
  return new Promise((resolve) => {
    client.once("data", (bytes) => resolve(String(bytes)));
    client.once("close", () => resolve(undefined));
  });
}

async function dial(protocol: Protocol, port: number): Promise<Socket> {
  const client =
    protocol === "tls"
      ? connectTls({ port, host: "127.0.0.1", ca, servername: "example.com" })
      : connect(port, "127.0.0.1");
  cleanups.push(() => client.destroy());
  client.on("error", () => {});
  await once(client, protocol === "tls" ? "secureConnect" : "connect");
  return client;
}

describe.each(protocols)("a leg on a %s socket or server that the caller made", (protocol) => {
  it("has its address when it listens already", async () => {
    const listen = make(protocol);
    start(listen);
    await once(listen, "listening");
    const { leg } = await new Listening({ listen }).listen();
    const { port } = listen.address() as { port: number };
    expect(leg).toMatchObject({ protocol, address: "127.0.0.1", port, isOwnSocket: false });
    expect(await ask(protocol, leg.port)).toBe(text);
    await leg.close();
  });

  it("waits for it to listen", async () => {
    const listen = make(protocol);
    const listening = new Listening({ listen });
    const ready = listening.listen();
    start(listen);
    await ready;
    expect(await ask(protocol, listening.leg.port)).toBe(text);
    expect(clock.pending).toBe(protocol === "udp" ? 0 : 1);
    await listening.leg.close();
  });

  it("is refused when that takes too long", async () => {
    const failure = new Listening({ listen: make(protocol) }).listen().catch((error) => error);
    await clock.advance(10_000);
    expect(await failure).toMatchObject({
      code: "SIP_LISTEN",
      message: expect.stringContaining("doesn't listen"),
    });
  });

  it("is refused when it can't listen", async () => {
    const [taken, listen] = [make(protocol), make(protocol)];
    start(taken);
    await once(taken, "listening");
    const listening = new Listening({ listen }).listen();
    start(listen, (taken.address() as { port: number }).port);
    await expect(listening).rejects.toMatchObject({
      code: "SIP_LISTEN",
      cause: expect.objectContaining({ code: "EADDRINUSE" }),
    });
    expect(clock.pending).toBe(0);
  });

  it("leaves it to the caller when it is closed: another leg can have it", async () => {
    const listen = make(protocol);
    start(listen);
    const before = listen.eventNames().map((event) => [event, listen.listenerCount(event)]);
    const first = await new Listening({ listen }).listen();
    expect(await ask(protocol, first.leg.port)).toBe(text);
    await first.leg.close();
    expect(listen.eventNames().map((event) => [event, listen.listenerCount(event)])).toEqual(
      before,
    );
    const second = await new Listening({ listen }).listen();
    expect(await ask(protocol, second.leg.port)).toBe(text);
    expect(first.messages).toHaveLength(1);
    await second.leg.close();
  });

  it("shows no certificates of ours", () => {
    const { leg } = new Listening({ listen: make(protocol) });
    expect(() => leg.replaceTls(certificate("example"))).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });
});

describe("a leg on a server that the caller made", () => {
  it("closes the connections that it has, and no others", async () => {
    const listen = createServer();
    const theirs: Socket[] = [];
    listen.on("connection", (socket) => theirs.push(socket));
    cleanups.push(() => listen.close());
    start(listen);
    await once(listen, "listening");
    const { port } = listen.address() as { port: number };
    const early = await dial("tcp", port);
    await until(() => theirs.length === 1);
    const { leg } = await new Listening({ listen }).listen();
    const late = await dial("tcp", port);
    await until(() => leg.stats().connections === 1);
    late.resume();
    await leg.close();
    await until(() => late.closed);
    expect(early.closed).toBe(false);
    expect(listen.listening).toBe(true);
  });

  it("takes a place before the handshake", async () => {
    const listen = createTlsServer(certificate("example"));
    cleanups.push(() => listen.close());
    start(listen);
    const { leg } = await new Listening({ listen, limits: { maxConnections: 1 } }).listen();
    await dial("tcp", leg.port);
    await until(() => leg.stats().connections === 1);
    const second = (await dial("tcp", leg.port)).resume();
    await until(() => second.closed);
    expect(leg.counters()).toMatchObject({ connectionsRefused: 1, accepted: 0 });
    await leg.close();
  });

  it("believes Node's authorities when it connects, or those that it is given", async () => {
    const other = createTlsServer(certificate("other"));
    start(other);
    cleanups.push(() => other.close());
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const to = {
      protocol: "tls",
      address: "127.0.0.1",
      port,
      domain: "other.example.com",
    } as const;
    for (const [tls, failure] of [
      [undefined, "unable to verify the first certificate"],
      [{ ...certificate("example"), ca }, undefined],
    ] as const) {
      const listen = make("tls");
      start(listen);
      const us = await new Listening({ listen, ...(tls && { tls }) }).listen();
      let accepted = false;
      other.once("secureConnection", (socket) => {
        socket.on("data", () => {
          accepted = true;
        });
        socket.on("error", () => {});
      });
      us.leg.send(text, to);
      await until(() => us.failures.length > 0 || accepted);
      expect(us.failures.map(({ message }) => message)).toEqual(
        failure === undefined ? [] : [expect.stringContaining(failure)],
      );
      await us.leg.close();
    }
  });

  it("needs a name on every address, and leaves the server alone without one", async () => {
    const listen = createServer().listen(0, "0.0.0.0");
    cleanups.push(() => listen.close());
    await expect(new Listening({ listen }).listen()).rejects.toMatchObject({ code: "SIP_BAD_LEG" });
    expect(listen.listening).toBe(true);
    const named = await new Listening({ listen, advertise: "sip.example.com" }).listen();
    expect(named.leg.sentBy).toBe(`sip.example.com:${named.leg.port}`);
    await named.leg.close();
  });

  it.runIf(hasIPv6)(
    "calls a host that comes by IPv4 to its IPv6 socket by its address",
    async () => {
      const listen = createServer().listen(0, "::");
      cleanups.push(() => listen.close());
      const us = await new Listening({ listen, advertise: "sip.example.com" }).listen();
      expect(await ask("tcp", us.leg.port)).toBe(text);
      expect(us.messages[0]?.address).toBe("127.0.0.1");
      await us.leg.close();
    },
  );

  it("refuses one on a path", async () => {
    const listen = createServer().listen(join(tmpdir(), `sipkit-${process.pid}.sock`));
    cleanups.push(() => listen.close());
    await expect(new Listening({ listen }).listen()).rejects.toMatchObject({
      code: "SIP_LISTEN",
      message: expect.stringContaining("no address and port"),
    });
  });
});
