import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { onRequest } from "../chain/on-request.ts";
import { packetKey } from "../message/packet-key.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import { newRequest } from "../test-kit/new-request.ts";
import type { VirtualClock } from "../testing/virtual-clock.ts";
import { VirtualNetwork } from "../testing/virtual-network.ts";
import type { LegAddress } from "../transport/leg-address.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { DispatcherOptions } from "./options.ts";

function world(): {
  clock: VirtualClock;
  network: VirtualNetwork;
  host(legs: readonly LegAddress[], options?: Omit<DispatcherOptions, "legs">): Promise<Dispatcher>;
} {
  const network = new VirtualNetwork();
  const { clock } = network;
  return {
    clock,
    network,
    async host(legs, options = {}) {
      const dispatcher = new Dispatcher({
        ...options,
        clock,
        legs: legs.map((leg) => ({ listen: network.transport(leg) })),
      });
      await dispatcher.listen();
      return dispatcher;
    },
  };
}

function message(uri: string): Request {
  return newRequest("MESSAGE", uri);
}

async function settle<T>(clock: VirtualClock, promise: Promise<T>, ms: number): Promise<T> {
  const settled = promise.catch((error: unknown) => error as T);
  await clock.advance(ms);
  return settled;
}

const accept = onRequest("MESSAGE", (request) => request.createResponse(200));

describe("dispatcher.listen", () => {
  it("tells the real ports", async () => {
    const server = new Dispatcher({ legs: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"] });
    try {
      const legs = await server.listen();
      expect(legs.map(({ protocol }) => protocol)).toEqual(["udp", "tcp"]);
      for (const { port, sentBy } of legs) {
        expect(port).toBeGreaterThan(0);
        expect(sentBy).toBe(`127.0.0.1:${port}`);
      }
    } finally {
      await server.close();
    }
  });

  it("opens all legs or none", async () => {
    const taken = createSocket("udp4");
    taken.bind(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address();
    const free = new Dispatcher({ legs: ["udp:127.0.0.1:0"] });
    const [leg] = await free.listen();
    await free.close();
    const half: readonly LegAddress[] = [`udp:127.0.0.1:${leg?.port}`, `udp:127.0.0.1:${port}`];
    await expect(new Dispatcher({ legs: half }).listen()).rejects.toMatchObject({
      code: "SIP_LISTEN",
    });
    const again = createSocket("udp4");
    again.bind(leg?.port ?? 0, "127.0.0.1");
    await once(again, "listening");
    again.close();
    taken.close();
  });

  it("rejects, and closes what it opened, when a handler can't start", async () => {
    const { clock, network } = world();
    const transport = network.transport("udp:192.0.2.1:5060");
    let closed = 0;
    const server = new Dispatcher({
      clock,
      legs: [{ listen: transport }],
      receiver: {
        receive: () => undefined,
        start: () => Promise.reject(new Error("no database")),
        close: () => {
          closed += 1;
        },
      },
    });
    await expect(server.listen()).rejects.toThrow("no database");
    expect(closed).toBe(1);
    const next = new Dispatcher({ clock, legs: [{ listen: network.transport("udp:192.0.2.1") }] });
    await next.listen();
    await next.close();
  });

  it.each([
    ["no legs", { legs: [] }, "SIP_BAD_OPTION"],
    ["a leg that is none", { legs: ["udp:nowhere" as LegAddress] }, "SIP_BAD_LEG"],
    ["no certificate", { legs: ["wss:127.0.0.1:0" as LegAddress] }, "SIP_BAD_OPTION"],
    ["a wildcard address without a name", { legs: ["udp:0.0.0.0:0" as LegAddress] }, "SIP_BAD_LEG"],
    ["a T1 of 0", { legs: ["udp:127.0.0.1:0" as LegAddress], t1: 0 }, "SIP_BAD_OPTION"],
    ["an empty secret", { legs: ["udp:127.0.0.1:0" as LegAddress], secret: "" }, "SIP_BAD_OPTION"],
    [
      "no secret in a list",
      { legs: ["udp:127.0.0.1:0" as LegAddress], secret: [] },
      "SIP_BAD_OPTION",
    ],
    [
      "nine secrets",
      { legs: ["udp:127.0.0.1:0" as LegAddress], secret: Array.from({ length: 9 }, String) },
      "SIP_BAD_OPTION",
    ],
  ])("is never reached with %s", (_what, options, code) => {
    expect(() => new Dispatcher(options)).toThrow(expect.objectContaining({ code }));
  });

  it("gives handlers nothing before they have started, within a dialog or not", async () => {
    const net = new VirtualNetwork();
    const seen: string[] = [];
    net.node("server", (node) =>
      node.serve({
        receiver: {
          start: () => new Promise<void>((resolve) => node.clock.setTimer(1000, resolve)),
          receive(packet) {
            seen.push(packet.method);
            return packet.isRequest && packet.method !== "ACK"
              ? packet.createResponse(200)
              : undefined;
          },
        },
      }),
    );
    const alice = net.node("alice", (node) => node.serve());
    await alice.start();
    const started = net.start();
    const within = { To: "<sip:bob@server>;tag=1" };
    const send = (headers: Readonly<Record<string, string>>): Promise<Response> =>
      alice.app.request(alice.newRequest("INFO", "sip:server", headers)).final;
    const early = Promise.all([send({}), send(within)]);
    alice.app.deliver(alice.newRequest("ACK", "sip:server", within));
    expect((await early).map(({ status }) => status)).toEqual([503, 503]);
    await started;
    expect(seen).toEqual([]);
    expect((await net.until(send(within))).status).toBe(200);
    expect(net.errors).toEqual([]);
  });
});

describe("dispatcher.request", () => {
  it.each(["udp", "tcp"] as const)(
    "sends over %s and gives the final response",
    async (protocol) => {
      const { clock, host } = world();
      const alice = await host([`${protocol}:192.0.2.1:5060`]);
      const bob = await host([`${protocol}:192.0.2.2:5060`], { receiver: accept });
      const transaction = alice.request(message(`sip:192.0.2.2;transport=${protocol}`));
      const response = await settle(clock, transaction.final, 10);
      expect(response.status).toBe(200);
      await clock.advance(40_000);
      await alice.close();
      await bob.close();
      expect(
        Object.values({ ...alice.stats(), ...bob.stats() }).every((count) => count === 0),
      ).toBe(true);
    },
  );

  it("gives responses in order as an iterator, the final one last", async () => {
    const { clock, host } = world();
    const alice = await host(["udp:192.0.2.1:5060"]);
    const requests: Request[] = [];
    const bob = await host(["udp:192.0.2.2:5060"], {
      receiver: onRequest("INVITE", (request) => {
        requests.push(request);
        return "later";
      }),
    });
    const invite = message("sip:bob@192.0.2.2");
    invite.method = "INVITE";
    invite.headers.set("CSeq", "1 INVITE");
    const statuses: number[] = [];
    const done = (async () => {
      for await (const { status } of alice.request(invite)) statuses.push(status);
    })();
    await clock.advance(5);
    bob.deliver(requests[0]?.createResponse(180) as Response);
    await clock.advance(5);
    bob.deliver(requests[0]?.createResponse(486) as Response);
    await clock.advance(5);
    await done;
    expect(statuses).toEqual([180, 486]);
    await alice.close();
    await bob.close();
  });

  it("fails with a TransactionTimeout when nobody answers, RFC 3261 §17.1.2.2", async () => {
    const { clock, host, network } = world();
    const alice = await host(["udp:192.0.2.1:5060"]);
    const { final } = alice.request(message("sip:192.0.2.2"));
    const error = await settle(clock, final, 32_000);
    expect(error).toMatchObject({ code: "SIP_TIMEOUT", status: 408 });
    expect(network.log.length).toBe(11);
    await alice.close();
  });

  it("fails with a TransportError when a connection can't be made", async () => {
    const { clock, host } = world();
    const alice = await host(["tcp:192.0.2.1:5060"]);
    const { final } = alice.request(message("sip:192.0.2.2;transport=tcp"));
    expect(await settle(clock, final, 10)).toMatchObject({ code: "SIP_TRANSPORT", status: 503 });
    await alice.close();
  });

  it.each([
    ["no leg has its protocol", "sip:192.0.2.2;transport=tcp"],
    ["only its secure form has a leg", "sip:192.0.2.2;transport=ws", "wss:192.0.2.1:443"],
    ["its URI is none", "nonsense"],
    ["its URI is a telephone number", "tel:+15551234"],
  ])("fails when %s, and never throws", async (_what, uri, leg = "udp:192.0.2.1:5060") => {
    const { host } = world();
    const alice = await host([leg as LegAddress]);
    const transaction = alice.request(message(uri));
    await expect(transaction.final).rejects.toMatchObject({ code: expect.stringMatching(/^SIP_/) });
    await alice.close();
  });

  it("goes over the flow of its target, and fails when that is gone", async () => {
    const { clock, host, network } = world();
    const seen: Request[] = [];
    const alice = await host(["tcp:192.0.2.1:5060"], {
      receiver: onRequest("MESSAGE", (request) => {
        seen.push(request);
        return request.createResponse(200);
      }),
    });
    const bob = await host(["tcp:192.0.2.2:5060"], { receiver: accept });
    const first = bob.request(message("sip:192.0.2.1;transport=tcp"));
    expect((await settle(clock, first.final, 10)).status).toBe(200);
    const flow = alice.flowOf(seen[0] as Request);
    const target = {
      uri: "sip:bob@unreachable.invalid",
      q: 1,
      route: [],
      expiresAt: 0,
      ...(flow && { flow }),
    };
    const second = alice.request(message("sip:bob@unreachable.invalid"), { target });
    expect((await settle(clock, second.final, 10)).status).toBe(200);
    await bob.close();
    await clock.advance(10);
    expect(flow && alice.isAlive(flow)).toBe(false);
    const third = alice.request(message("sip:bob@unreachable.invalid"), { target });
    await expect(third.final).rejects.toMatchObject({ code: "SIP_FLOW_GONE" });
    expect(network.log.length).toBe(4);
    await alice.close();
  });

  it("runs beforeSend before our Via goes on", async () => {
    const { clock, host, network } = world();
    const mark = packetKey<string>("mark");
    const vias: (string | undefined)[] = [];
    const alice = await host(["udp:192.0.2.1:5060"], {
      receiver: {
        receive: () => undefined,
        beforeSend(packet) {
          vias.push(packet.headers.get("via"));
          packet.headers.set("X-Mark", packet.get(mark) ?? "");
        },
      },
    });
    const bob = await host(["udp:192.0.2.2:5060"], { receiver: accept });
    const request = message("sip:192.0.2.2");
    request.set(mark, "seen");
    await settle(clock, alice.request(request).final, 10);
    expect(vias).toEqual([undefined]);
    expect(network.log[0]?.wire).toContain("\r\nX-Mark: seen\r\n");
    await alice.close();
    await bob.close();
  });

  it("is cancelled by its signal once a provisional response has come, RFC 3261 §9.1", async () => {
    const { clock, host } = world();
    const alice = await host(["udp:192.0.2.1:5060"]);
    const bob = await host(["udp:192.0.2.2:5060"], {
      receiver: onRequest("INVITE", () => "later"),
    });
    const invite = message("sip:bob@192.0.2.2");
    invite.method = "INVITE";
    invite.headers.set("CSeq", "1 INVITE");
    const controller = new AbortController();
    const { final } = alice.request(invite, { signal: controller.signal });
    controller.abort();
    const response = await settle(clock, final, 1000);
    expect(response.status).toBe(487);
    await alice.close();
    await bob.close();
  });
});

describe("dispatcher.signRoute", () => {
  it.each([
    ["udp", ""],
    ["tcp", ";transport=tcp"],
    ["tls", ";transport=tls"],
    ["ws", ";transport=ws"],
    ["wss", ";transport=ws"],
  ])("names a leg over %s, RFC 3261 §19.1.1, RFC 7118 §5.2", async (protocol, transport) => {
    const { host } = world();
    const server = await host([`${protocol}:192.0.2.1:5060` as LegAddress]);
    const [leg] = server.legs;
    if (leg === undefined) throw new Error("no leg");
    const route = server.signRoute({ request: message("sip:bob@example.com"), side: "a", leg });
    expect(route).toMatch(new RegExp(`^<sip:[^@]+@192\\.0\\.2\\.1:5060${transport};lr>$`));
    await server.close();
  });
});

describe("what goes wrong around a handler", () => {
  it("leaves the server alive when onError throws", async () => {
    const { clock, host } = world();
    const alice = await host(["udp:192.0.2.1:5060"]);
    const bob = await host(["udp:192.0.2.2:5060"], {
      receiver: () => {
        throw new Error("first");
      },
      onError: () => {
        throw new Error("second");
      },
    });
    const { final } = alice.request(message("sip:192.0.2.2"));
    expect((await settle(clock, final, 10)).status).toBe(500);
    expect(bob.counters()).toMatchObject({ failedErrorHandlers: 1 });
    await alice.close();
    await bob.close();
  });

  it("is reported when an observer throws, and the transaction goes on", async () => {
    const { clock, host } = world();
    const errors: string[] = [];
    const alice = await host(["udp:192.0.2.1:5060"], {
      onError: ({ code }) => errors.push(code),
    });
    const bob = await host(["udp:192.0.2.2:5060"], { receiver: accept });
    const { final } = alice.request(message("sip:192.0.2.2"), {
      observer: {
        response: () => {
          throw new Error("oops");
        },
        failed: () => undefined,
      },
    });
    expect((await settle(clock, final, 10)).status).toBe(200);
    expect(errors).toEqual(["SIP_INTERNAL"]);
    await alice.close();
    await bob.close();
  });

  it("fails requests before listen and after close at once", async () => {
    const { clock, network } = world();
    const transport = network.transport("udp:192.0.2.1:5060");
    const alice = new Dispatcher({ clock, legs: [{ listen: transport }] });
    const code = "SIP_NOT_LISTENING";
    await expect(alice.request(message("sip:192.0.2.2")).final).rejects.toMatchObject({ code });
    await alice.listen();
    await alice.close();
    await expect(alice.request(message("sip:192.0.2.2")).final).rejects.toMatchObject({ code });
  });

  it("starts no handler for what there is no room for", async () => {
    const { clock, host, network } = world();
    let started = 0;
    const alice = await host(["udp:192.0.2.1:5060"]);
    const bob = await host(["udp:192.0.2.2:5060"], {
      limits: { transactionBytes: 20_000 },
      receiver: () => {
        started += 1;
        return new Promise(() => undefined);
      },
    });
    for (let call = 0; call < 20; call += 1) {
      const request = message("sip:192.0.2.2");
      request.headers.set("Call-ID", `${call}@192.0.2.1`);
      alice.request(request, { observer: { response: () => undefined, failed: () => undefined } });
    }
    await clock.advance(10);
    const refused = network.log.filter(({ wire }) => wire.startsWith("SIP/2.0 503")).length;
    expect(started).toBeLessThan(5);
    expect(refused).toBe(20 - started);
    expect(bob.counters()).toMatchObject({ refusedForWantOfRoom: refused });
    await alice.close();
    await bob.close();
  });

  it("can send one request object again: what was put on to send it is not on it", async () => {
    const { clock, host } = world();
    const alice = await host(["udp:192.0.2.1:5060"]);
    const bob = await host(["udp:192.0.2.2:5060"], { receiver: accept });
    const request = message("sip:192.0.2.2");
    await settle(clock, alice.request(request).final, 10);
    expect(request.headers.has("via")).toBe(false);
    await alice.close();
    await bob.close();
  });
});

describe("dispatcher.close", () => {
  it("lets pending requests have their answers within the given time, and refuses new ones", async () => {
    const { clock, host } = world();
    const alice = await host(["udp:192.0.2.1:5060"]);
    const bob = await host(["udp:192.0.2.2:5060"], {
      receiver: onRequest("MESSAGE", async (request) => {
        await new Promise<void>((resolve) => clock.setTimer(100, resolve));
        return request.createResponse(202);
      }),
    });
    const early = alice.request(message("sip:192.0.2.2"));
    await clock.advance(10);
    const closing = bob.close({ within: 1000 });
    const late = message("sip:192.0.2.2");
    late.headers.set("Call-ID", "2@192.0.2.1");
    const refused = await settle(clock, alice.request(late).final, 10);
    expect(refused.status).toBe(503);
    expect((await settle(clock, early.final, 200)).status).toBe(202);
    await closing;
    await alice.close();
  });

  it("ends when the time is over, with what is pending unanswered", async () => {
    const { clock, host } = world();
    const alice = await host(["udp:192.0.2.1:5060"]);
    const bob = await host(["udp:192.0.2.2:5060"], {
      receiver: onRequest("MESSAGE", () => "later"),
    });
    alice.request(message("sip:192.0.2.2"));
    await clock.advance(10);
    await settle(clock, bob.close({ within: 1000 }), 1000);
    expect(bob.stats()).toMatchObject({ waitingRequests: 0, nonInviteServers: 0 });
    await alice.close();
  });

  it("fails what this server still waits for", async () => {
    const { host } = world();
    const alice = await host(["udp:192.0.2.1:5060"]);
    const { final } = alice.request(message("sip:192.0.2.2"));
    await alice.close();
    await expect(final).rejects.toMatchObject({ code: "SIP_CLOSED" });
  });

  it("can be called twice, and before listen", async () => {
    const server = new Dispatcher({ legs: ["udp:127.0.0.1:0"] });
    await server.close();
    await server.close();
    await expect(server.listen()).rejects.toMatchObject({ code: "SIP_STATE" });
  });
});
