import { once } from "node:events";
import { createServer } from "node:https";
import { connect } from "node:net";
import type { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { ca, certificate } from "../../../../test/certificates/certificates.ts";
import { cleanups } from "../../../../test/kit/cleanups.ts";
import { until } from "../../../../test/kit/until.ts";
import type { Peer } from "../arrival.ts";
import { Heard } from "../test-kit/heard.ts";
import { TransportLeg } from "./leg.ts";
import type { LegOptions } from "./leg-address.ts";
import type { TlsOptions } from "./tls-options.ts";

const example: TlsOptions = { ...certificate("example"), ca };
const text = "MESSAGE sip:a SIP/2.0\r\n\r\n";

class Listening extends Heard {
  readonly leg: TransportLeg;

  constructor(options: LegOptions) {
    super();
    this.leg = new TransportLeg(options, this.context());
  }

  async listen(): Promise<this> {
    await this.leg.listen(this.sink((text, to) => this.leg.send(text, to)));
    return this;
  }

  peer(domain: string): Peer {
    return { protocol: "wss", address: "127.0.0.1", port: this.leg.port, domain };
  }
}

async function listen(
  tls: TlsOptions = example,
  options: Partial<LegOptions> = {},
): Promise<Listening> {
  const listening = await new Listening({ listen: "wss:127.0.0.1:0", tls, ...options }).listen();
  cleanups.push(async () => {
    const closed = listening.leg.close();
    await listening.clock.advance(10_000);
    await closed;
  });
  return listening;
}

/** A client that shows nothing and believes everybody, unless it is told otherwise. */
function dial({ leg }: Listening, options: ClientOptions = {}): WebSocket {
  const client = new WebSocket(`wss://127.0.0.1:${leg.port}`, "sip", {
    rejectUnauthorized: false,
    ...options,
  });
  client.on("error", () => {});
  cleanups.push(() => client.terminate());
  return client;
}

function refused(client: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    client.on("open", () => reject(new Error("it was let in")));
    client.on("close", () => resolve());
  });
}

/** The names in the certificate that a client is shown. */
async function shown(server: Listening): Promise<string | undefined> {
  const client = dial(server);
  const [{ socket }] = await once(client, "upgrade");
  return (socket as TLSSocket).getPeerCertificate().subjectaltname;
}

describe("secure WebSocket transport, RFC 7118", () => {
  it("carries both sides' messages over one connection with a server that proves its domain", async () => {
    const [a, b] = [await listen(), await listen()];
    a.leg.send(text, b.peer("example.com"));
    a.leg.send(text, b.peer("example.com"));
    await until(() => b.messages.length === 2);
    b.leg.send(text, b.messages[0]?.from as Peer);
    await until(() => a.messages.length === 1);
    expect(a.leg.counters()).toMatchObject({ dialled: 1, accepted: 0 });
    expect(b.leg.counters()).toMatchObject({ accepted: 1, failedHandshakes: 0 });
    expect(a.messages[0]?.from).toMatchObject({
      protocol: "wss",
      domain: "example.com",
      connection: { authorized: true, identities: ["example.com", "server.example.com"] },
    });
    expect(b.messages[0]?.from.connection).toMatchObject({ authorized: false });
  });

  it("sends nothing to a server that proves another domain, also when one is connected", async () => {
    const [a, b] = [await listen(), await listen()];
    a.leg.send(text, b.peer("example.com"));
    await until(() => b.messages.length === 1);
    const wrong = b.peer("example.org");
    a.leg.send(text, wrong);
    await until(() => a.failures.length === 1);
    expect(a.failures[0]).toMatchObject({ to: wrong });
    expect(a.failures[0]?.error.message).toContain("example.org");
    expect(b.messages).toHaveLength(1);
    a.leg.send(text, b.peer("server.example.com"));
    await until(() => b.messages.length === 2);
    expect(a.leg.counters()).toMatchObject({ dialled: 2, connectFailures: 1 });
  });

  it("lets in those who show a certificate that is believed, where it asks for one", async () => {
    const server = await listen({ ...example, clientCertificate: "required" });
    await refused(dial(server));
    await refused(dial(server, certificate("unknown")));
    const client = dial(server, certificate("client"));
    await once(client, "open");
    client.send(text);
    await until(() => server.messages.length === 1);
    expect(server.messages[0]?.from.connection).toMatchObject({
      authorized: true,
      identities: ["client.example.com"],
    });
    expect(server.leg.counters()).toMatchObject({ accepted: 1, failedHandshakes: 2 });
  });

  it("counts those who don't speak TLS, and ends those who stay silent", async () => {
    const server = await listen();
    for (const first of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01"]) {
      const socket = connect({ host: "127.0.0.1", port: server.leg.port });
      socket.on("error", () => {});
      cleanups.push(() => socket.destroy());
      socket.write(first, "latin1");
    }
    await until(() => server.leg.counters().failedHandshakes === 1);
    await until(() => server.leg.stats().connections === 1);
    await server.clock.advance(11_000);
    await until(() => server.leg.stats().connections === 0);
    expect(server.leg.counters()).toMatchObject({ accepted: 0, failedHandshakes: 2 });
  });

  it("shows new certificates while it runs", async () => {
    const server = await listen();
    expect(await shown(server)).toContain("server.example.com");
    server.leg.replaceTls({ ...certificate("other"), ca });
    expect(await shown(server)).toContain("other.example.com");
  });

  it("takes WebSockets from an HTTPS server of the caller's", async () => {
    const site = createServer(certificate("example"));
    site.listen(0, "127.0.0.1");
    cleanups.push(() => {
      site.closeAllConnections();
      site.close();
    });
    const server = await listen(undefined, { listen: site, websocket: { path: "/sip" } });
    expect(server.leg.protocol).toBe("wss");
    const client = new WebSocket(`wss://127.0.0.1:${server.leg.port}/sip`, "sip", { ca });
    cleanups.push(() => client.terminate());
    await once(client, "open");
    client.send(text);
    await until(() => server.messages.length === 1);
    const other = await listen();
    server.leg.send(text, other.peer("example.com"));
    await until(() => other.messages.length === 1);
    await server.leg.close();
    expect(site.listening).toBe(true);
  });
});
