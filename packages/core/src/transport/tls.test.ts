import { once } from "node:events";
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import { type ConnectionOptions, connect, createServer, type TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { ca, certificate } from "../../../../test/certificates/certificates.ts";
import { cleanups } from "../../../../test/kit/cleanups.ts";
import { until } from "../../../../test/kit/until.ts";
import type { Connection, Peer } from "../arrival.ts";
import { Heard } from "../test-kit/heard.ts";
import type { StreamLimits } from "./stream-limits.ts";
import type { StreamTransport } from "./stream-transport.ts";
import { tlsTransport } from "./tls.ts";
import type { TlsOptions } from "./tls-options.ts";
import { TlsSettings } from "./tls-settings.ts";

const example: TlsOptions = { ...certificate("example"), ca };
const text = "MESSAGE sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";

class Listening extends Heard {
  readonly settings: TlsSettings;
  readonly transport: StreamTransport;
  port = 0;

  constructor(options: TlsOptions, limits: Partial<StreamLimits>) {
    super();
    const listen = { protocol: "tls", address: "127.0.0.1", port: 0 } as const;
    this.settings = new TlsSettings(options);
    this.transport = tlsTransport(listen, this.settings, this.context(limits));
  }

  async listen(): Promise<this> {
    const sink = this.sink((text, to) => this.transport.send(text, to));
    const { port } = await this.transport.listen(sink);
    this.port = port;
    return this;
  }

  peer(domain?: string): Peer {
    const where = { protocol: "tls", address: "127.0.0.1", port: this.port } as const;
    return domain === undefined ? where : { ...where, domain };
  }

  /** The connection that the first message came over. */
  get connection(): Connection | undefined {
    return this.messages[0]?.from.connection;
  }
}

async function listen(
  options: TlsOptions = example,
  limits: Partial<StreamLimits> = {},
): Promise<Listening> {
  const listening = await new Listening(options, limits).listen();
  cleanups.push(async () => {
    const closed = listening.transport.close();
    await listening.clock.advance(10_000);
    await closed;
  });
  return listening;
}

/** A client that shows nothing and believes everybody, unless it is told otherwise. */
async function dial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  cleanups.push(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** The first DNS name, URI or common name of what a server shows. */
function shown(socket: TLSSocket): string {
  const { subject, subjectaltname = "" } = socket.getPeerCertificate();
  return subjectaltname.split(", ", 1)[0] || `CN:${subject.CN}`;
}

describe("TLS transport, RFC 3261 §26.2.1", () => {
  it("carries both sides' messages over one connection", async () => {
    const [a, b] = [await listen(), await listen()];
    a.transport.send(text, b.peer("example.com"));
    a.transport.send(text, b.peer("example.com"));
    await until(() => b.messages.length === 2);
    expect(b.messages.map((message) => message.text)).toEqual([text, text]);
    b.transport.send(text, b.messages[0]?.from as Peer);
    await until(() => a.messages.length === 1);
    expect(a.transport.counters()).toMatchObject({ dialled: 1, accepted: 0 });
    expect(b.transport.counters()).toMatchObject({ dialled: 0, accepted: 1 });
    expect(a.connection).toMatchObject({
      authorized: true,
      identities: ["example.com", "server.example.com"],
    });
  });

  it("speaks TLS 1.2 and newer, and 1.3 alone where it is told so", async () => {
    const older = {
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "ALL:@SECLEVEL=0",
    } as const;
    const twelve = { maxVersion: "TLSv1.2" } as const;
    const server = await listen();
    await expect(dial(server.port, older)).rejects.toThrow();
    expect((await dial(server.port, twelve)).getProtocol()).toBe("TLSv1.2");
    expect((await dial(server.port)).getProtocol()).toBe("TLSv1.3");
    const strict = await listen({ ...example, minVersion: "TLSv1.3" });
    await expect(dial(strict.port, twelve)).rejects.toThrow();
    expect(strict.transport.counters()).toMatchObject({ failedHandshakes: 1 });
  });

  it("agrees on no second handshake", async () => {
    const server = await listen();
    const client = await dial(server.port, { maxVersion: "TLSv1.2" });
    const refused = await new Promise((resolve) => {
      client.once("error", resolve);
      client.renegotiate({}, resolve);
    });
    expect(String(refused)).toContain("no renegotiation");
  });

  it.each([
    ["server.example.com", "URI:sip:example.com"],
    ["OTHER.example.COM", "DNS:other.example.com"],
    ["a.example.net", "DNS:*.example.net"],
    ["a.b.example.net", "URI:sip:example.com"],
    ["example.net", "URI:sip:example.com"],
    ["nobody", "URI:sip:example.com"],
    [undefined, "URI:sip:example.com"],
  ])("to a client that asks for %s it shows %s, RFC 6066 §3", async (servername, name) => {
    const server = await listen({
      ...example,
      names: {
        "Other.example.com": certificate("other"),
        "*.example.net": certificate("wildcard"),
      },
    });
    const client = await dial(server.port, servername === undefined ? {} : { servername });
    expect(shown(client)).toBe(name);
  });
});

describe("TLS transport, client certificates, RFC 5922 §7.4", () => {
  async function greet(policy: "none" | "optional" | "required", options: ConnectionOptions) {
    const server = await listen({ ...example, clientCertificate: policy });
    const client = await dial(server.port, options);
    client.write(text);
    return { server, client };
  }

  const client = certificate("client");
  const unknown = certificate("unknown");

  it.each([
    ["none", "a good one", client, false, undefined],
    ["optional", "none", {}, false, undefined],
    ["optional", "one that is not believed", unknown, false, undefined],
    ["optional", "one that is too old", certificate("expired"), false, undefined],
    ["optional", "a good one", client, true, ["client.example.com"]],
    ["required", "a good one", client, true, ["client.example.com"]],
  ] as const)("%s: takes %s", async (policy, _what, options, authorized, identities) => {
    const { server } = await greet(policy, options);
    await until(() => server.messages.length === 1);
    expect(server.connection?.authorized).toBe(authorized);
    expect(server.connection?.identities).toEqual(identities);
  });

  it.each([
    ["none", {}],
    ["one that is not believed", unknown],
    ["one for servers of another authority", certificate("expired")],
  ])("required: closes on %s", async (_what, options) => {
    const { server, client } = await greet("required", options);
    await until(() => client.closed);
    await until(() => server.transport.counters().failedHandshakes === 1);
    expect(server.messages).toEqual([]);
    expect(server.transport.stats()).toEqual({ connections: 0 });
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "believes no session that is resumed without a certificate, %s",
    async (maxVersion) => {
      const server = await listen({ ...example, clientCertificate: "optional" });
      const first = (await dial(server.port, { maxVersion })).resume();
      let session = first.getSession();
      let isFresh = maxVersion === "TLSv1.2";
      // TLS 1.3 hands sessions out with what is sent first.
      first.on("session", (fresh) => {
        session = fresh;
        isFresh = true;
      });
      first.write(text);
      await until(() => server.messages.length === 1);
      server.transport.send(text, server.messages[0]?.from as Peer);
      await until(() => isFresh && session !== undefined);
      const second = await dial(server.port, { maxVersion, session: session as Buffer });
      second.write(text);
      await until(() => server.messages.length === 2);
      expect(second.isSessionReused()).toBe(false);
      expect(server.messages[1]?.from.connection?.authorized).toBe(false);
    },
  );
});

describe("TLS transport, the servers that it connects to, RFC 5922 §7.3", () => {
  /** What a server that shows a certificate gets, and what the sender is told. */
  async function sendTo(
    name: string,
    domain: string | undefined,
    options: Partial<TlsOptions> = {},
  ): Promise<{ readonly arrived: string; readonly failure: string | undefined }> {
    let arrived = "";
    const asked: unknown[] = [];
    const server = createServer(certificate(name), (socket) => {
      asked.push(socket.servername);
      socket.on("error", () => {});
      socket.on("data", (bytes) => {
        arrived += bytes.toString();
      });
    });
    server.on("tlsClientError", () => {});
    await listening(server);
    const us = await listen({ ...example, ...options });
    const { port } = server.address() as AddressInfo;
    us.transport.send(text, { ...us.peer(domain), port });
    await until(() => arrived !== "" || us.failures.length > 0);
    // What was on its way when the sender gave up would come until then.
    await us.transport.close();
    await closed(server);
    expect(asked).not.toContain("127.0.0.1");
    return { arrived, failure: us.failures[0]?.error.message };
  }

  async function listening(server: Server): Promise<void> {
    server.listen(0, "127.0.0.1");
    cleanups.push(() => server.close());
    await once(server, "listening");
  }

  function closed(server: Server): Promise<void> {
    return new Promise((resolve) => server.close(() => resolve()));
  }

  it.each([
    ["example", "example.com"],
    ["example", "Server.Example.Com"],
    ["example", undefined],
    ["other", "other.example.com"],
    ["common-name", "common.example.com"],
  ])("sends to %s what is meant for %s", async (name, domain) => {
    expect(await sendTo(name, domain)).toEqual({ arrived: text, failure: undefined });
  });

  it.each([
    ["other", "example.com", "its certificate doesn't name example.com"],
    ["example", "sub.example.com", "its certificate doesn't name sub.example.com"],
    ["wildcard", "a.example.net", "its certificate doesn't name a.example.net"],
    ["common-name", undefined, "its certificate doesn't name the address 127.0.0.1"],
    ["expired", "example.com", "certificate has expired"],
    ["unknown", "example.com", "unable to verify the first certificate"],
    ["client", "client.example.com", "unsuitable certificate purpose"],
  ])("sends nothing to %s for %s: %s", async (name, domain, reason) => {
    const { arrived, failure } = await sendTo(name, domain);
    expect(failure).toMatch(/^tls to 127\.0\.0\.1:[0-9]+: /);
    expect(failure).toContain(reason);
    expect(arrived).toBe("");
  });

  it("sends to anybody where verifyServers is false, and calls nobody authorized", async () => {
    for (const name of ["other", "expired", "unknown"]) {
      const { arrived } = await sendTo(name, "example.com", { verifyServers: false });
      expect(arrived).toBe(text);
    }
    const [us, server] = [
      await listen({ ...example, verifyServers: false }),
      await listen({ ...certificate("unknown") }),
    ];
    us.transport.send(text, server.peer("example.com"));
    await until(() => server.messages.length === 1);
    server.transport.send(text, server.messages[0]?.from as Peer);
    await until(() => us.messages.length === 1);
    expect(us.connection?.authorized).toBe(false);
    expect(us.connection?.identities).toBeUndefined();
  });

  it("says in a line that a server does no TLS", async () => {
    const server = createTcpServer((socket) =>
      socket.on("error", () => {}).end("SIP/2.0 400 \r\n"),
    );
    await listening(server);
    const us = await listen();
    const { port } = server.address() as AddressInfo;
    us.transport.send(text, { ...us.peer("example.com"), port });
    await until(() => us.failures.length === 1);
    expect(us.failures[0]?.error.message).toBe(`tls to 127.0.0.1:${port}: wrong version number`);
  });

  it("shows them its own certificate when they ask", async () => {
    const [us, server] = [
      await listen(),
      await listen({ ...example, clientCertificate: "required" }),
    ];
    us.transport.send(text, server.peer("example.com"));
    await until(() => server.messages.length === 1);
    expect(server.connection?.identities).toEqual(["example.com", "server.example.com"]);
  });
});

describe("TLS transport, new certificates", () => {
  it("are shown to new connections, by any name, and old ones live on", async () => {
    const server = await listen({
      ...example,
      names: { "a.example.net": certificate("wildcard") },
    });
    const before = await dial(server.port);
    expect(shown(before)).toBe("URI:sip:example.com");
    server.settings.replace({
      ...certificate("common-name"),
      ca,
      names: { "a.example.net": certificate("other") },
    });
    expect(shown(await dial(server.port))).toBe("CN:common.example.com");
    expect(shown(await dial(server.port, { servername: "x" }))).toBe("CN:common.example.com");
    const named = await dial(server.port, { servername: "a.example.net" });
    expect(shown(named)).toBe("DNS:other.example.com");
    before.write(text);
    await until(() => server.messages.length === 1);
  });

  it("are believed and shown when we connect, too", async () => {
    const server = await listen({ ...example, clientCertificate: "required" });
    const us = await listen({ ...certificate("unknown") });
    us.transport.send(text, server.peer("example.com"));
    await until(() => us.failures.length === 1);
    us.settings.replace(example);
    us.transport.send(text, server.peer("example.com"));
    await until(() => server.messages.length === 1);
  });

  it("that are bad change nothing", async () => {
    const server = await listen();
    const { cert } = certificate("other");
    const { key } = certificate("example");
    expect(() => server.settings.replace({ cert, key })).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
    expect(shown(await dial(server.port))).toBe("URI:sip:example.com");
  });
});

describe("TLS transport, bounds", () => {
  async function dialTcp(port: number): Promise<Socket> {
    const socket = connectTcp(port, "127.0.0.1").resume();
    cleanups.push(() => socket.destroy());
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  it("counts connections from before their handshake", async () => {
    const server = await listen(example, { maxConnectionsPerAddress: 2 });
    await dialTcp(server.port);
    await dialTcp(server.port);
    await until(() => server.transport.stats().connections === 2);
    const third = await dialTcp(server.port);
    await until(() => third.closed);
    expect(server.transport.counters()).toMatchObject({ connectionsRefused: 1, accepted: 0 });
  });

  it("counts a connection once when its handshake is done", async () => {
    const server = await listen(example, { maxConnectionsPerAddress: 2 });
    const clients = [await dial(server.port), await dial(server.port)];
    for (const client of clients) client.write(text);
    await until(() => server.messages.length === 2);
    expect(server.transport.stats()).toEqual({ connections: 2 });
    for (const client of clients) client.destroy();
    await until(() => server.transport.stats().connections === 0);
    expect(server.transport.counters()).toMatchObject({ accepted: 2, failedHandshakes: 0 });
  });

  it("closes on a handshake that takes too long", async () => {
    const server = await listen(example, { connectTimeout: 5_000 });
    const client = await dialTcp(server.port);
    await until(() => server.transport.stats().connections === 1);
    await server.clock.advance(4_000);
    expect(client.closed).toBe(false);
    await server.clock.advance(2_000);
    await until(() => client.closed);
    await until(() => server.transport.stats().connections === 0);
    expect(server.transport.counters()).toMatchObject({ accepted: 0, failedHandshakes: 1 });
  });

  it("counts what is no TLS", async () => {
    const server = await listen();
    const client = await dialTcp(server.port);
    client.write(text);
    await until(() => client.closed);
    await until(() => server.transport.stats().connections === 0);
    expect(server.transport.counters()).toMatchObject({ accepted: 0, failedHandshakes: 1 });
    expect(server.messages).toEqual([]);
  });

  it("gives up handshakes when it closes", async () => {
    const server = await listen();
    const client = await dialTcp(server.port);
    await until(() => server.transport.stats().connections === 1);
    await server.transport.close();
    await until(() => client.closed);
    expect(server.transport.stats()).toEqual({ connections: 0 });
  });
});
