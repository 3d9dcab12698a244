import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { AnyHandler } from "../chain/handler.ts";
import { onRequest } from "../chain/on-request.ts";
import type { Method } from "../message/method.ts";
import type { Request } from "../message/request.ts";
import type { NextHop } from "../resolve/resolver.ts";
import { newRequest } from "../test-kit/new-request.ts";
import { VirtualNetwork } from "../testing/virtual-network.ts";
import { Dispatcher } from "./dispatcher.ts";

function request(method: Method, uri = "sip:192.0.2.2;transport=tcp"): Request {
  return newRequest(method, uri);
}

/** A host at 192.0.2.1 and one at 192.0.2.2 whose INVITEs are answered when a test says so. */
async function scene(hops?: readonly NextHop[]) {
  const network = new VirtualNetwork();
  const { clock } = network;
  const invites: Request[] = [];
  const host = async (last: number, receiver: AnyHandler): Promise<Dispatcher> => {
    const dispatcher = new Dispatcher({
      clock,
      legs: (["udp", "tcp"] as const).map((protocol) => ({
        listen: network.transport(`${protocol}:192.0.2.${last}:5060`),
      })),
      receiver,
      ...(hops === undefined ? {} : { resolver: { resolve: () => hops } }),
    });
    await dispatcher.listen();
    return dispatcher;
  };
  const server = await host(2, (packet) => {
    if (!packet.isRequest || packet.method === "ACK") return undefined;
    if (packet.method !== "INVITE") return packet.createResponse(200);
    invites.push(packet);
    return "later";
  });
  const phone = await host(1, () => undefined);
  return {
    network,
    clock,
    server,
    phone,
    host,
    send(method: Method, uri?: string) {
      const told: (number | string)[] = [];
      const transaction = phone.request(request(method, uri), {
        observer: {
          response: ({ status }) => told.push(status),
          failed: ({ code }) => told.push(code),
        },
      });
      return { told, transaction };
    },
    answer(status: number): void {
      const [invite] = invites.splice(0, 1);
      if (invite === undefined) throw new Error("no INVITE came");
      server.deliver(invite.createResponse(status));
    },
    /** Whether a promise has settled by now. */
    settled(promise: Promise<unknown>): () => boolean {
      let isSettled = false;
      const done = (): void => {
        isSettled = true;
      };
      promise.then(done, done);
      return () => isSettled;
    },
  };
}

const idle = (dispatcher: Dispatcher): readonly (readonly [string, number])[] =>
  Object.entries(dispatcher.stats()).filter(([, count]) => count > 0);

describe("dispatcher.close({ within })", () => {
  it("lets a pending INVITE be answered, refuses new requests, and takes no new connection", async () => {
    const { clock, network, server, phone, send, answer, settled, host } = await scene();
    const call = send("INVITE");
    await clock.advance(300);
    const closing = server.close({ within: 60_000 });
    const isClosed = settled(closing);
    const refused = send("MESSAGE");
    const stranger = await host(3, () => undefined);
    const { final } = stranger.request(request("MESSAGE"));
    final.catch(() => undefined);
    await clock.advance(1_000);
    expect(refused.told).toEqual([503]);
    await expect(final).rejects.toMatchObject({ code: "SIP_TRANSPORT" });
    expect(call.told).toEqual([100]);
    expect(isClosed()).toBe(false);
    answer(486);
    await clock.advance(10);
    expect(call.told).toEqual([100, 486]);
    expect(isClosed()).toBe(true);
    expect(idle(server)).toEqual([]);
    expect(network.log.at(-1)?.wire).toMatch(/^ACK /);
    await closing;
    await phone.close();
    await stranger.close();
  });

  it("still answers within a dialog", async () => {
    const { clock, server, phone, send, answer } = await scene();
    const call = send("INVITE");
    await clock.advance(300);
    const closing = server.close({ within: 60_000 });
    const bye = request("BYE");
    bye.headers.set("To", "<sip:bob@192.0.2.2>;tag=2");
    const { final } = phone.request(bye);
    await clock.advance(10);
    expect((await final).status).toBe(200);
    answer(480);
    await clock.advance(10);
    expect(call.told).toEqual([100, 480]);
    await closing;
    await phone.close();
  });

  it("is over at once when nothing is pending", async () => {
    const { clock, server, phone, send } = await scene();
    const { told } = send("MESSAGE", "sip:192.0.2.2");
    await clock.advance(10);
    expect(told).toEqual([200]);
    const before = clock.now();
    await server.close({ within: 60_000 });
    expect(clock.now()).toBe(before);
    await phone.close();
  });

  it("waits for requests of its own, and for their CANCEL", async () => {
    const { clock, server, phone, send, settled } = await scene();
    const call = send("INVITE");
    await clock.advance(300);
    const isClosed = settled(phone.close({ within: 60_000 }));
    await clock.advance(1_000);
    expect(isClosed()).toBe(false);
    call.transaction.cancel();
    await clock.advance(10);
    expect(call.told).toEqual([100, 487]);
    expect(isClosed()).toBe(true);
    expect(idle(phone)).toEqual([]);
    await server.close();
  });

  it("lets a request go to the next place meanwhile", async () => {
    const at = (last: number): NextHop => ({
      protocol: "udp",
      address: `192.0.2.${last}`,
      port: 5060,
    });
    const { clock, server, phone, send, host, settled } = await scene([at(3), at(2)]);
    const busy = await host(
      3,
      onRequest("MESSAGE", (message) => message.createResponse(503)),
    );
    const { told } = send("MESSAGE", "sip:service.example.com");
    const isClosed = settled(phone.close({ within: 60_000 }));
    await clock.advance(10);
    expect(told).toEqual([200]);
    expect(isClosed()).toBe(true);
    await server.close();
    await busy.close();
  });

  it("waits for requests whose next hop is being looked up", async () => {
    const network = new VirtualNetwork();
    const { clock } = network;
    const looking: ((hops: readonly NextHop[]) => void)[] = [];
    const caller = new Dispatcher({
      clock,
      legs: [{ listen: network.transport("udp:192.0.2.1:5060") }],
      resolver: { resolve: () => new Promise((resolve) => looking.push(resolve)) },
    });
    await caller.listen();
    const { final } = caller.request(request("MESSAGE"));
    const failed = expect(final).rejects.toMatchObject({ code: "SIP_NO_LEG" });
    const before = clock.now();
    const closing = caller.close({ within: 60_000 });
    let isClosed = false;
    const closed = closing.then(() => {
      isClosed = true;
    });
    await clock.advance(10);
    expect(caller.stats()).toMatchObject({ unresolvedRequests: 1 });
    expect(isClosed).toBe(false);
    for (const found of looking) found([]);
    await failed;
    await closed;
    expect(clock.now()).toBe(before + 10);
    expect(idle(caller)).toEqual([]);
  });

  it("ends when its time is over", async () => {
    const { clock, server, phone, send, settled } = await scene();
    const call = send("INVITE");
    await clock.advance(300);
    const isClosed = settled(server.close({ within: 5_000 }));
    await clock.advance(4_990);
    expect(isClosed()).toBe(false);
    await clock.advance(20);
    expect(isClosed()).toBe(true);
    expect(call.told).toEqual([100, "SIP_CONNECTION_CLOSED"]);
    await phone.close();
  });

  it("is cut short by a second call, and gives the same promise", async () => {
    const { clock, server, phone, send, settled } = await scene();
    send("INVITE");
    await clock.advance(300);
    const closing = server.close({ within: 60_000 });
    const isClosed = settled(closing);
    expect(server.close({ within: 120_000 })).toBe(closing);
    await clock.advance(1_000);
    expect(isClosed()).toBe(false);
    expect(server.close()).toBe(closing);
    await clock.advance(0);
    expect(isClosed()).toBe(true);
    await phone.close();
  });

  it("rejects with the error of a handler when all is closed", async () => {
    const network = new VirtualNetwork();
    const server = new Dispatcher({
      clock: network.clock,
      legs: [{ listen: network.transport("udp:192.0.2.1:5060") }],
      receiver: { receive: () => undefined, close: () => Promise.reject(new Error("no database")) },
    });
    await server.listen();
    await expect(server.close()).rejects.toThrow("no database");
    await expect(server.close()).rejects.toThrow("no database");
  });
});

describe("dispatcher.close while it begins to listen", () => {
  it("closes every leg, and listen rejects", async () => {
    const server = new Dispatcher({ legs: ["tcp:127.0.0.1:0", "udp:127.0.0.1:0"] });
    const listening = server.listen();
    const refused = expect(listening).rejects.toMatchObject({ code: "SIP_STATE" });
    await server.close({ within: 1_000 });
    await refused;
    expect(idle(server)).toEqual([]);
    const [leg] = server.legs;
    const [error] = await once(connect(leg?.port || 1, "127.0.0.1"), "error").catch(
      (reason: unknown) => [reason],
    );
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("doesn't wait for a handler that doesn't start", async () => {
    const network = new VirtualNetwork();
    let start: () => void = () => undefined;
    const server = new Dispatcher({
      clock: network.clock,
      legs: [{ listen: network.transport("udp:192.0.2.1:5060") }],
      receiver: {
        receive: () => undefined,
        start: () =>
          new Promise<void>((resolve) => {
            start = resolve;
          }),
      },
    });
    const listening = server.listen();
    const refused = expect(listening).rejects.toMatchObject({ code: "SIP_STATE" });
    await network.clock.advance(10);
    await server.close();
    start();
    await refused;
  });
});

describe("a TCP leg that drains", () => {
  it("keeps its connections and takes no new ones", async () => {
    let answer: () => void = () => undefined;
    const server = new Dispatcher({
      legs: ["tcp:127.0.0.1:0"],
      receiver: onRequest("MESSAGE", async (message) => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return message.createResponse(202);
      }),
    });
    const phone = new Dispatcher({ legs: ["tcp:127.0.0.1:0"] });
    const [leg] = await server.listen();
    await phone.listen();
    const { final } = phone.request(request("MESSAGE", `sip:127.0.0.1:${leg?.port};transport=tcp`));
    await expect.poll(() => server.stats()).toMatchObject({ pendingHandlers: 1 });
    const closing = server.close({ within: 60_000 });
    await setImmediate();
    const [error] = await once(connect(leg?.port ?? 0, "127.0.0.1"), "error").catch(
      (reason: unknown) => [reason],
    );
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
    answer();
    expect((await final).status).toBe(202);
    await closing;
    await phone.close();
  });
});
