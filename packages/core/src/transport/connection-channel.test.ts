import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Dispatcher } from "../dispatcher/dispatcher.ts";
import type { DispatcherOptions } from "../dispatcher/options.ts";
import { Request } from "../message/request.ts";
import { type ConnectionEvent, connectionChannel } from "./connection-channel.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The events of a node, in order, each awaited. */
function eventsOf(node: string): () => Promise<string> {
  const events: string[] = [];
  let wake = (): void => undefined;
  const listener = (event: ConnectionEvent): void => {
    if (event.node !== node) return;
    const { what, peer, id, why } = event;
    events.push(`${what} ${peer.protocol} ${id ?? "-"}${why === undefined ? "" : `: ${why}`}`);
    wake();
  };
  connectionChannel.subscribe(listener);
  closers.push(() => connectionChannel.unsubscribe(listener));
  return async () => {
    while (events.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return events.shift() ?? "";
  };
}

async function start(options: Partial<DispatcherOptions>): Promise<Dispatcher> {
  const dispatcher = new Dispatcher({ legs: ["tcp:127.0.0.1:0"], ...options });
  await dispatcher.listen();
  closers.push(() => dispatcher.close());
  return dispatcher;
}

function dial(dispatcher: Dispatcher): Socket {
  const socket = connect(dispatcher.legs[0]?.port ?? 0, "127.0.0.1");
  socket.on("error", () => undefined);
  closers.push(() => socket.destroy());
  return socket;
}

describe("sipkit:connection", () => {
  it("tells of connections that come, are too many, and go", async () => {
    const next = eventsOf("server");
    const server = await start({ node: "server", limits: { maxConnectionsPerAddress: 1 } });
    const first = dial(server);
    expect(await next()).toBe("accepted tcp 1");
    dial(server);
    expect(await next()).toBe("refused tcp -: too many connections");
    first.end();
    expect(await next()).toBe("closed tcp 1: the other side closed it");
  });

  it("tells why we close one", async () => {
    const next = eventsOf("server");
    const server = await start({ node: "server" });
    const socket = dial(server);
    expect(await next()).toBe("accepted tcp 1");
    socket.write("OPTIONS sip:example.com SIP/2.0\r\nContent-Length: x\r\n\r\n");
    expect(await next()).toBe("closed tcp 1: it can't be cut into messages any more");
    dial(server);
    expect(await next()).toBe("accepted tcp 2");
    await server.close();
    expect(await next()).toBe("closed tcp 2: this side closes");
  });

  it("tells of connections that we open, and of those that don't come about", async () => {
    const next = eventsOf("client");
    const there = await start({ node: "there" });
    const client = await start({ node: "client" });
    const headers = { From: "<sip:a@b>;tag=a", To: "<sip:b@c>", "Call-ID": "c", CSeq: "1 OPTIONS" };
    const ask = (port: number): void => {
      const request = new Request("OPTIONS", "sip:b@c", { headers });
      const to = { protocol: "tcp", address: "127.0.0.1", port } as const;
      client.request(request, { to }).final.catch(() => undefined);
    };
    ask(there.legs[0]?.port ?? 0);
    expect(await next()).toBe("dialled tcp 1");
    expect(await next()).toBe("opened tcp 1");
    await there.close();
    expect(await next()).toMatch(/^closed tcp 1: /);
    const nobody = createServer().listen(0, "127.0.0.1");
    await once(nobody, "listening");
    const { port } = nobody.address() as { readonly port: number };
    nobody.close();
    await once(nobody, "close");
    ask(port);
    expect(await next()).toBe("dialled tcp 2");
    expect(await next()).toMatch(/^failed tcp 2: .*ECONNREFUSED/);
  });
});
