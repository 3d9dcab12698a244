import { describe, expect, it } from "vitest";
import { onRequest } from "../chain/on-request.ts";
import type { RequestOptions } from "../chain/server.ts";
import type { SipError } from "../errors.ts";
import type { Method } from "../message/method.ts";
import { parsePacket } from "../message/parse.ts";
import type { Request } from "../message/request.ts";
import type { NextHop } from "../resolve/resolver.ts";
import { newRequest } from "../test-kit/new-request.ts";
import { VirtualNetwork } from "../testing/virtual-network.ts";
import type { LegAddress } from "../transport/leg-address.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { DispatcherOptions } from "./options.ts";

const at = (last: number, protocol: "udp" | "tcp" = "udp"): NextHop => ({
  protocol,
  address: `192.0.2.${last}`,
  port: 5060,
});

/** A caller at 192.0.2.1 whose resolver finds `hops` for every name, and servers at other addresses. */
async function scene(hops: readonly NextHop[], options: Partial<DispatcherOptions> = {}) {
  const network = new VirtualNetwork();
  const { clock } = network;
  const hosts: Dispatcher[] = [];
  const host = async (
    legs: readonly LegAddress[],
    more: Partial<DispatcherOptions>,
  ): Promise<Dispatcher> => {
    const dispatcher = new Dispatcher({
      ...more,
      clock,
      legs: legs.map((leg) => ({ listen: network.transport(leg) })),
    });
    hosts.push(dispatcher);
    await dispatcher.listen();
    return dispatcher;
  };
  const caller = await host(["udp:192.0.2.1:5060", "tcp:192.0.2.1:5060"], {
    ...(hops.length === 0 ? {} : { resolver: { resolve: () => hops } }),
    ...options,
  });
  return {
    clock,
    network,
    caller,
    /** A server that answers so. */
    server: (last: number, ...answer: readonly (number | "drop")[]): Promise<Dispatcher> =>
      host([`udp:192.0.2.${last}:5060`, `tcp:192.0.2.${last}:5060`], {
        receiver: onRequest(["INVITE", "MESSAGE"], (request) => {
          for (const status of answer) {
            if (status === "drop") return "drop";
            const response = request.createResponse(status);
            if (status >= 200) return response;
            hosts
              .find(({ legs }) => legs.some((leg) => leg === request.arrival?.leg))
              ?.deliver(response);
          }
          return "later";
        }),
      }),
    /** Requests that went to a host, in order. */
    sent: (last: number, method?: Method): readonly Request[] =>
      network.log
        .filter(({ to }) => to === `192.0.2.${last}:5060`)
        .map(({ wire }) => parsePacket(wire))
        .filter((packet): packet is Request => packet.isRequest)
        .filter((packet) => method === undefined || packet.method === method),
    /** Sends a request and notes what becomes of it. */
    send(method: Method = "MESSAGE", more: RequestOptions = {}) {
      const told: (number | string)[] = [];
      const transaction = caller.request(request(method), {
        observer: {
          response: ({ status }) => told.push(status),
          failed: ({ code }: SipError) => told.push(code),
        },
        ...more,
      });
      return { told, transaction };
    },
    async close(): Promise<void> {
      await clock.advance(400_000);
      for (const each of hosts) {
        expect(
          Object.entries(each.stats()).filter(
            ([name, count]) => count > 0 && name !== "connections",
          ),
        ).toEqual([]);
      }
      for (const each of hosts) await each.close();
      expect(hosts.map((each) => each.stats())).toEqual(
        hosts.map((each) => Object.fromEntries(Object.keys(each.stats()).map((name) => [name, 0]))),
      );
    },
  };
}

function request(method: Method, uri = "sip:service.example.com"): Request {
  return newRequest(method, uri);
}

describe("failover, RFC 3263 §4.3", () => {
  const failures = [
    ["answers 503", [at(2), at(3)], [503], 50],
    ["never answers", [at(9), at(3)], [], 33_000],
    ["has no such port open", [at(9, "tcp"), at(3)], [], 50],
  ] as const;
  for (const method of ["MESSAGE", "INVITE"] as const) {
    it.each(failures)(
      `sends the ${method} to the next place when one %s`,
      async (_what, hops, answer, ms) => {
        const { clock, caller, server, sent, send, close } = await scene(hops);
        await server(2, ...answer);
        await server(3, 180, 200);
        const { told } = send(method);
        await clock.advance(ms);
        // A 2xx comes again until somebody acknowledges it.
        expect([...new Set(told)]).toEqual(method === "INVITE" ? [180, 200] : [200]);
        expect(caller.counters()).toMatchObject({ failovers: 1 });
        expect(sent(3, method)).toHaveLength(1);
        await close();
      },
    );
  }

  it("leaves nothing of an attempt on the next one", async () => {
    const { clock, server, sent, send, close } = await scene([at(2), at(3, "tcp")], {
      receiver: {
        receive: () => undefined,
        beforeSend: (packet, leg, to) => {
          packet.headers.append("X-Hook", `${leg.protocol} ${to.address}`);
        },
      },
    });
    await server(2, 503);
    await server(3, 200);
    const { told, transaction } = send("MESSAGE", {
      branch: "token.hash",
      target: { uri: "sip:x@example.com", q: 1, route: ["<sip:192.0.2.77;lr>"], expiresAt: 0 },
      prepare: (prepared, leg, to) => {
        prepared.headers.append("X-Prepared", `${leg.protocol} ${to.address}`);
      },
    });
    await clock.advance(50);
    expect(told).toEqual([200]);
    const [first] = sent(2);
    const [second] = sent(3);
    expect(first?.headers.getAll("via")).toEqual([
      "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKtoken.hash",
    ]);
    expect(second?.headers.getAll("via")).toEqual([
      "SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK2.token.hash",
    ]);
    expect(second?.headers.getAll("x-prepared")).toEqual(["tcp 192.0.2.3"]);
    expect(second?.headers.getAll("x-hook")).toEqual(["tcp 192.0.2.3"]);
    expect(second?.headers.getAll("route")).toEqual(["<sip:192.0.2.77;lr>"]);
    expect(transaction.request.branch).toBe("z9hG4bK2.token.hash");
    await close();
  });

  it("sends what the caller gave, whatever he made of it since", async () => {
    const { clock, caller, server, sent, close } = await scene([at(2), at(3)]);
    await server(2, 503);
    await server(3, 200);
    const message = request("MESSAGE");
    const { final } = caller.request(message);
    message.headers.set("X-Later", "1");
    await clock.advance(50);
    expect((await final).status).toBe(200);
    expect(sent(3)[0]?.headers.has("x-later")).toBe(false);
    await close();
  });

  it("tells the last outcome when no place is left", async () => {
    const { clock, server, send, close } = await scene([at(2), at(3)]);
    await server(2, 503);
    await server(3, 503);
    const both = send();
    await clock.advance(50);
    expect(both.told).toEqual([503]);
    await close();
  });

  it("gives an iterator the responses of all attempts, and ends after the last", async () => {
    const { clock, caller, server, close } = await scene([at(2), at(3)]);
    await server(2, 180, 503);
    await server(3, 183, 486);
    const statuses: number[] = [];
    const done = (async () => {
      for await (const { status } of caller.request(request("INVITE"))) statuses.push(status);
    })();
    await clock.advance(50);
    await done;
    expect(statuses).toEqual([180, 183, 486]);
    await close();
  });

  it.each([404, 486, 500, 603])("takes a %i for an answer", async (status) => {
    const { clock, server, sent, send, close } = await scene([at(2), at(3)]);
    await server(2, status);
    const { told } = send("INVITE");
    await clock.advance(100);
    expect(told).toEqual([status]);
    expect(sent(3)).toEqual([]);
    await close();
  });

  it("tries eight places at most", async () => {
    const hops = Array.from({ length: 12 }, (_, index) => at(20 + index, "tcp"));
    const { clock, caller, send, close } = await scene(hops);
    const { told } = send();
    await clock.advance(50);
    expect(told).toEqual(["SIP_TRANSPORT"]);
    expect(caller.counters()).toMatchObject({ failovers: 7 });
    await close();
  });

  it("stays where something was said, when nothing comes after it", async () => {
    const { clock, server, sent, send, close } = await scene([at(2), at(3)]);
    await server(2, 100);
    await server(3, 200);
    const { told } = send("MESSAGE");
    await clock.advance(33_000);
    expect([...new Set(told)]).toEqual([100, "SIP_TIMEOUT"]);
    expect(sent(3)).toEqual([]);
    await close();
  });

  it("goes on when the connection is lost over which it rang", async () => {
    const { clock, server, send, close } = await scene([at(2, "tcp"), at(3)]);
    const first = await server(2, 180);
    await server(3, 200);
    const { told } = send("INVITE");
    await clock.advance(50);
    await first.close();
    await clock.advance(50);
    expect(told).toEqual([180, 200]);
    await close();
  });

  it("stops when time is over", async () => {
    const { clock, sent, send, close } = await scene([at(2), at(3)]);
    const late = send("MESSAGE", { failoverFor: 32_000 });
    await clock.advance(33_000);
    expect(late.told).toEqual(["SIP_TIMEOUT"]);
    expect(sent(3)).toEqual([]);
    await close();
  });

  it("ends a further attempt when its time is over, and makes nothing of an answer after that", async () => {
    const { clock, server, send, close } = await scene([at(2), at(3)]);
    await server(2, 503);
    await server(3, 200);
    const over = send("MESSAGE", { failoverFor: 3 });
    await clock.advance(100);
    expect(over.told).toEqual(["SIP_TIMEOUT"]);
    await close();
  });

  it("lets a further INVITE ring on when its time is over", async () => {
    const { clock, server, send, close } = await scene([at(2), at(3)]);
    await server(2, 503);
    await server(3, 180, 200);
    const { told } = send("INVITE", { failoverFor: 3 });
    await clock.advance(100);
    expect(told).toEqual([180, 200]);
    await close();
  });

  it("ends with the server", async () => {
    const { caller, sent, send, close } = await scene([at(2), at(3)]);
    const { told } = send();
    await caller.close();
    expect(told).toEqual(["SIP_CLOSED"]);
    expect(sent(3)).toEqual([]);
    await close();
  });
});

describe("an INVITE that failed over", () => {
  it.each(["udp", "tcp"] as const)(
    "acknowledges the 503 over %s where it came from, and is cancelled where it rings",
    async (protocol) => {
      const { clock, server, sent, send, close } = await scene([at(2, protocol), at(3, protocol)]);
      await server(2, 503);
      await server(3, 180);
      const { told, transaction } = send("INVITE", { branch: "b" });
      await clock.advance(50);
      transaction.cancel();
      await clock.advance(50);
      expect(told).toEqual([180, 487]);
      expect(sent(2).map(({ method, branch }) => [method, branch])).toEqual([
        ["INVITE", "z9hG4bKb"],
        ["ACK", "z9hG4bKb"],
      ]);
      expect(sent(3).map(({ method, branch }) => [method, branch])).toEqual([
        ["INVITE", "z9hG4bK2.b"],
        ["CANCEL", "z9hG4bK2.b"],
        ["ACK", "z9hG4bK2.b"],
      ]);
      await close();
    },
  );

  it("goes nowhere else once it is cancelled", async () => {
    const { clock, server, sent, send, close } = await scene([at(9), at(3)]);
    await server(3, 200);
    const { told, transaction } = send("INVITE");
    await clock.advance(1000);
    transaction.cancel();
    await clock.advance(33_000);
    expect(told).toEqual(["SIP_TIMEOUT"]);
    expect(sent(3)).toEqual([]);
    await close();
  });

  it("is not sent when it is cancelled between two attempts", async () => {
    const { clock, server, sent, send, close } = await scene([at(2), at(3)]);
    await server(2, 503);
    await server(3, 200);
    const controller = new AbortController();
    const { told } = send("INVITE", {
      signal: controller.signal,
      prepare: (_request, _leg, to) => {
        if (to.address === "192.0.2.3") controller.abort();
      },
    });
    await clock.advance(100);
    expect(told).toEqual(["SIP_CANCELLED"]);
    expect(sent(3)).toEqual([]);
    await close();
  });
});

describe("places that failed, RFC 3263 §4.3", () => {
  it("are tried last for half a minute", async () => {
    const { clock, caller, server, sent, send, close } = await scene([at(2, "tcp"), at(3)]);
    await server(3, 200);
    const first = send();
    await clock.advance(50);
    expect(first.told).toEqual([200]);
    expect(caller.stats()).toMatchObject({ targetsSetAside: 1 });
    send();
    await clock.advance(50);
    expect(caller.counters()).toMatchObject({ failovers: 1 });
    expect(sent(3)).toHaveLength(2);
    await clock.advance(30_000);
    expect(caller.stats()).toMatchObject({ targetsSetAside: 0 });
    send();
    await clock.advance(50);
    expect(caller.counters()).toMatchObject({ failovers: 2 });
    await close();
  });

  it.each([
    ["60", 60_000],
    ["86400", 300_000],
    ["soon", 30_000],
    ["0", 0],
  ])("are left alone for a Retry-After of %s", async (value, ms) => {
    const { clock, caller, network, server, send, close } = await scene([at(2), at(3)]);
    const busy = new Dispatcher({
      clock,
      legs: [{ listen: network.transport("udp:192.0.2.2:5060") }],
      receiver: onRequest("MESSAGE", (message) =>
        message.createResponse(503, { headers: { "Retry-After": value } }),
      ),
    });
    await busy.listen();
    await server(3, 200);
    send();
    await clock.advance(4);
    if (ms > 10) await clock.advance(ms - 10);
    expect(caller.stats()).toMatchObject({ targetsSetAside: ms > 0 ? 1 : 0 });
    await clock.advance(20);
    expect(caller.stats()).toMatchObject({ targetsSetAside: 0 });
    await busy.close();
    await close();
  });

  it("are all tried when there are no others, and come back when they answer", async () => {
    const { clock, caller, server, sent, send, close } = await scene([at(2, "tcp"), at(3, "tcp")]);
    const nobody = send();
    await clock.advance(50);
    expect(nobody.told).toEqual(["SIP_TRANSPORT"]);
    expect(caller.stats()).toMatchObject({ targetsSetAside: 2 });
    await server(3, 200);
    const again = send();
    await clock.advance(50);
    expect(again.told).toEqual([200]);
    expect(caller.stats()).toMatchObject({ targetsSetAside: 1 });
    await server(2, 200);
    const before = sent(3).length;
    send();
    await clock.advance(50);
    expect(sent(3)).toHaveLength(before + 1);
    await close();
  });

  it.each(["udp", "tcp"] as const)(
    "are not remembered where there is no other place to go by %s",
    async (protocol) => {
      const { clock, caller, send, close } = await scene([at(2, protocol)]);
      const { told } = send();
      await clock.advance(32_100);
      expect(told).toHaveLength(1);
      expect(caller.stats()).toMatchObject({ targetsSetAside: 0 });
      expect(caller.counters()).not.toHaveProperty("failovers");
      await close();
    },
  );
});

describe("a request over 1,300 bytes, RFC 3261 §18.1.1", () => {
  /** A request that is so long with our Via on it: `more` bytes longer than what goes over UDP. */
  const long = (more: number, uri?: string): Request => {
    const message = request("MESSAGE", uri);
    const via = "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKb\r\n".length;
    message.headers.set("Content-Length", "0");
    message.headers.set("X", "");
    const missing = 1_300 - via - message.toWire().length;
    message.headers.set("X", "x".repeat(missing + more));
    return message;
  };
  const protocols = (requests: readonly Request[]): readonly (string | undefined)[] =>
    requests.map(({ topmostVia }) => topmostVia?.transport);

  it("goes by TCP, and is answered on its connection", async () => {
    const { clock, network, caller, server, sent, close } = await scene([at(2)]);
    await server(2, 200);
    const small = caller.request(long(0), { branch: "b" });
    const large = caller.request(long(1), { branch: "c" });
    await clock.advance(50);
    expect([(await small.final).status, (await large.final).status]).toEqual([200, 200]);
    expect(protocols(sent(2))).toEqual(["UDP", "TCP"]);
    const answers = network.log.filter(({ wire }) => wire.startsWith("SIP/2.0 200"));
    expect(answers.map(({ protocol }) => protocol)).toEqual(["udp", "tcp"]);
    await close();
  });

  it("is made anew for TCP when what was put on makes it so large", async () => {
    const hooks: string[] = [];
    const { clock, caller, server, sent, close } = await scene([at(2)]);
    await server(2, 200);
    const { final } = caller.request(long(-10), {
      branch: "b",
      prepare: (prepared, leg) => {
        hooks.push(leg.protocol);
        prepared.headers.append("X-Prepared", leg.protocol);
      },
    });
    await clock.advance(50);
    expect((await final).status).toBe(200);
    expect(hooks).toEqual(["udp", "tcp"]);
    expect(sent(2).map(({ headers }) => headers.getAll("x-prepared"))).toEqual([["tcp"]]);
    expect(sent(2).map(({ branch }) => branch)).toEqual(["z9hG4bKb"]);
    await close();
  });

  it("goes by UDP after all when no connection can be had, and at once the next time", async () => {
    const { clock, network, caller, close } = await scene([at(2)]);
    const phone = new Dispatcher({
      clock,
      legs: [{ listen: network.transport("udp:192.0.2.2:5060") }],
      receiver: onRequest("MESSAGE", (message) => message.createResponse(200)),
    });
    await phone.listen();
    const first = caller.request(long(100));
    await clock.advance(50);
    expect((await first.final).status).toBe(200);
    expect(first.request.topmostVia?.transport).toBe("UDP");
    expect(caller.counters()).toMatchObject({ failovers: 1 });
    const second = caller.request(long(100));
    await clock.advance(50);
    expect((await second.final).status).toBe(200);
    expect(caller.counters()).toMatchObject({ failovers: 1 });
    expect(network.log.filter(({ protocol }) => protocol === "tcp")).toHaveLength(1);
    await phone.close();
    await close();
  });

  it("stays off UDP when the place has it and says nothing, or 503", async () => {
    const { clock, caller, server, sent, close } = await scene([at(2), at(3, "tcp")]);
    await server(2, "drop");
    await server(3, 503);
    const { final } = caller.request(long(1));
    final.catch(() => undefined);
    await clock.advance(33_000);
    expect((await final).status).toBe(503);
    expect(protocols(sent(2))).toEqual(["TCP"]);
    // Both places are set aside, not TCP at the first.
    caller.request(long(1));
    await clock.advance(50);
    expect(protocols(sent(2))).toEqual(["TCP", "TCP"]);
    await close();
  });

  it("brings its place back when it is answered over TCP", async () => {
    const { clock, caller, server, sent, send, close } = await scene([at(2), at(3)]);
    const first = await server(2, 503);
    const second = await server(3, 503);
    send();
    await clock.advance(50);
    expect(caller.stats()).toMatchObject({ targetsSetAside: 2 });
    await first.close();
    await second.close();
    await server(2, 200);
    const { final } = caller.request(long(1));
    await clock.advance(50);
    expect((await final).status).toBe(200);
    expect(protocols(sent(2))).toEqual(["UDP", "TCP"]);
    expect(caller.stats()).toMatchObject({ targetsSetAside: 1 });
    await close();
  });

  it.each([
    ["its URI asks for UDP", "sip:service.example.com;transport=udp", {}],
    ["a peer is given", undefined, { to: at(2) }],
    ["the URI that it is sent to does", undefined, { to: "sip:service.example.com;TRANSPORT=UDP" }],
  ] as const)("stays on UDP when %s", async (_what, uri, options) => {
    const { clock, caller, server, sent, close } = await scene([at(2)]);
    await server(2, 200);
    caller.request(long(500, uri), options);
    await clock.advance(50);
    expect(protocols(sent(2))).toEqual(["UDP"]);
    await close();
  });

  it("goes so without a transaction too, and by UDP when it is sent again where TCP is not", async () => {
    const { clock, network, caller, close } = await scene([at(2)]);
    const sentBy = (): readonly string[] =>
      network.log.filter(({ wire }) => wire.startsWith("MESSAGE")).map(({ protocol }) => protocol);
    caller.deliver(long(0), { branch: "b" });
    caller.deliver(long(1), { branch: "b" });
    await clock.advance(50);
    caller.deliver(long(1), { branch: "b" });
    expect(sentBy()).toEqual(["udp", "tcp", "udp"]);
    await clock.advance(40_000);
    const prepare = (prepared: Request, leg: { readonly protocol: string }): void => {
      prepared.headers.append("X-Prepared", leg.protocol);
    };
    caller.deliver(long(-10), { branch: "b", prepare });
    await clock.advance(50);
    expect(sentBy().at(-1)).toBe("tcp");
    const last = parsePacket(network.log.at(-1)?.wire ?? "");
    expect(last.headers.getAll("x-prepared")).toEqual(["tcp"]);
    expect(last.headers.getAll("via")).toHaveLength(1);
    await close();
  });

  it("stays on the leg that was asked for, and on its flow", async () => {
    const { clock, caller, server, sent, close } = await scene([at(2)]);
    await server(2, 200);
    const [leg] = caller.legs;
    if (leg === undefined) throw new Error("no leg");
    const uri = "sip:bob@192.0.2.2";
    const target = { uri, q: 1, route: [], expiresAt: 0, flow: caller.flowTo(leg, at(2)) };
    caller.request(long(500), { leg });
    caller.request(long(500, uri), { target });
    await clock.advance(50);
    expect(protocols(sent(2))).toEqual(["UDP", "UDP"]);
    await close();
  });
});

describe("outgoingProxy and domainToProxy", () => {
  const options = {
    outgoingProxy: "sip:192.0.2.2;transport=tcp",
    domainToProxy: {
      "example.com": ["sip:192.0.2.4;transport=tcp", "sip:192.0.2.8;transport=odd", "192.0.2.3"],
      "*": "192.0.2.9",
      "*.example.com": "sip:192.0.2.5",
    },
  };
  const { outgoingProxy } = options;
  const sendTo = async (
    last: number,
    uri: string,
    set: Partial<DispatcherOptions>,
    how: RequestOptions | ((caller: Dispatcher) => RequestOptions) = {},
    route?: string,
  ): Promise<Request | undefined> => {
    const { clock, caller, server, sent, close } = await scene([], set);
    await server(last, 200);
    const message = request("MESSAGE", uri);
    if (route !== undefined) message.headers.set("Route", route);
    caller.request(message, typeof how === "function" ? how(caller) : how);
    await clock.advance(50);
    const [got] = sent(last);
    await close();
    return got;
  };

  it("send a request elsewhere and leave it as it is", async () => {
    const got = await sendTo(2, "sip:bob@192.0.2.77;maddr=192.0.2.78", { outgoingProxy });
    expect(got?.uri).toBe("sip:bob@192.0.2.77;maddr=192.0.2.78");
    expect(got?.headers.has("route")).toBe(false);
    expect(got?.topmostVia?.transport).toBe("TCP");
  });

  it.each([
    ["the domain, the next proxy when one fails", 3, "sip:bob@example.com", undefined],
    ["a name below a domain", 5, "sip:bob@a.example.com", undefined],
    ["any other domain", 9, "sip:bob@192.0.2.77", undefined],
    ["no domain", 9, "tel:+15551234", undefined],
    ["no more than the Route leaves open", 6, "sip:bob@example.com", "<sip:192.0.2.6;lr>"],
  ] as const)("go by %s", async (_what, last, uri, route) => {
    const got = await sendTo(last, uri, options, {}, route);
    expect(got?.uri).toBe(uri);
  });

  it("leave alone what was told where to go, or has a flow", async () => {
    const uri = "sip:bob@example.com";
    expect(await sendTo(6, uri, options, { to: "sip:192.0.2.6" })).toBeDefined();
    const peer = { protocol: "udp", address: "192.0.2.6", port: 5060 } as const;
    expect(await sendTo(6, uri, options, { to: peer })).toBeDefined();
    const byFlow = (caller: Dispatcher): RequestOptions => {
      const [leg] = caller.legs;
      if (leg === undefined) throw new Error("no leg");
      return { target: { uri, q: 1, route: [], expiresAt: 0, flow: caller.flowTo(leg, peer) } };
    };
    expect(await sendTo(6, uri, options, byFlow)).toBeDefined();
  });

  it("fail as the last look-up did when none is found", async () => {
    const { clock, send, close } = await scene([], {
      domainToProxy: { "*": ["sip:192.0.2.4;transport=nonsense", "sip:192.0.2.5;transport=odd"] },
    });
    const { told } = send();
    await clock.advance(50);
    expect(told).toEqual(["SIP_TRANSPORT"]);
    await close();
  });

  it("are checked when the server is made", async () => {
    await expect(scene([], { outgoingProxy: "nonsense here" })).rejects.toMatchObject({
      code: "SIP_BAD_OPTION",
    });
  });
});

describe("on real sockets", () => {
  const accept = onRequest("MESSAGE", (message) => message.createResponse(200));

  it("goes to the next port where one is closed, and by UDP where there is no TCP", async () => {
    const phone = new Dispatcher({ legs: ["udp:127.0.0.1:0"], receiver: accept });
    const [leg] = await phone.listen();
    const here = (protocol: "udp" | "tcp"): NextHop => ({
      protocol,
      address: "127.0.0.1",
      port: leg?.port ?? 0,
    });
    const caller = new Dispatcher({
      legs: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"],
      resolver: {
        resolve: (uri) => (uri.includes("both") ? [here("tcp"), here("udp")] : [here("udp")]),
      },
    });
    await caller.listen();
    const next = caller.request(request("MESSAGE", "sip:both"));
    expect((await next.final).status).toBe(200);
    const large = request("MESSAGE", "sip:one");
    large.headers.set("Subject", "x".repeat(2_000));
    // TCP was found closed a moment ago.
    expect(caller.counters()).toMatchObject({ failovers: 1, dialled: 1 });
    expect((await caller.request(large).final).status).toBe(200);
    expect(caller.counters()).toMatchObject({ failovers: 1, dialled: 1 });
    await caller.close();
    const fresh = new Dispatcher({
      legs: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"],
      resolver: { resolve: () => [here("udp")] },
    });
    await fresh.listen();
    expect((await fresh.request(large).final).status).toBe(200);
    expect(fresh.counters()).toMatchObject({ failovers: 1, dialled: 1 });
    await fresh.close();
    await phone.close();
  });

  it("sends what is large by TCP, which is answered on its connection", async () => {
    const server = new Dispatcher({ legs: ["tcp:127.0.0.1:0"], receiver: accept });
    const [leg] = await server.listen();
    const caller = new Dispatcher({ legs: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"] });
    await caller.listen();
    const large = request("MESSAGE", `sip:127.0.0.1:${leg?.port}`);
    large.headers.set("Subject", "x".repeat(2_000));
    const transaction = caller.request(large);
    expect((await transaction.final).status).toBe(200);
    expect(transaction.request.topmostVia?.transport).toBe("TCP");
    expect(server.counters()).toMatchObject({ accepted: 1, dialled: 0 });
    await caller.close();
    await server.close();
  });
});
