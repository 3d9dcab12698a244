import { describe, expect, it, onTestFinished } from "vitest";
import type { RequestOptions } from "../chain/server.ts";
import type { Target } from "../chain/targets.ts";
import type { NextHop, Resolver } from "../resolve/resolver.ts";
import { newRequest } from "../test-kit/new-request.ts";
import { VirtualNetwork } from "../testing/virtual-network.ts";
import { refusedHopLine } from "../trace/event-line.ts";
import { type RefusedHopEvent, refusedHopChannel } from "../trace/refused-hop-channel.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { DispatcherOptions } from "./options.ts";

const INSIDE = "sip:x@127.0.0.1:6379";

/** Names that lead where a stranger's DNS may lead. */
const resolver: Resolver = {
  resolve(uri) {
    const [, host = "", port = "5060"] = /@([^:;>]+)(?::([0-9]+))?/.exec(uri) ?? [];
    const names: Readonly<Record<string, readonly string[]>> = {
      "inside.example.net": ["127.0.0.1"],
      "metadata.example.net": ["169.254.169.254", "fe80::1"],
      "both.example.net": ["127.0.0.1", "192.0.2.9", "169.254.169.254"],
    };
    const hops = (names[host] ?? [host]).map(
      (address): NextHop => ({ protocol: "udp", address, port: Number(port) }),
    );
    // As a resolver that knows addresses at once, and asks for names.
    return host in names ? Promise.resolve(hops) : hops;
  },
};

async function scene(options: Partial<DispatcherOptions> = {}) {
  const network = new VirtualNetwork();
  const legs = ["udp:192.0.2.1:5060", "udp:[2001:db8::1]:5060"] as const;
  const dispatcher = new Dispatcher({
    legs: legs.map((leg) => ({ listen: network.transport(leg) })),
    clock: network.clock,
    resolver,
    node: "server",
    ...options,
  });
  await dispatcher.listen();
  const events: RefusedHopEvent[] = [];
  const listener = (event: RefusedHopEvent): void => {
    events.push(event);
  };
  refusedHopChannel.subscribe(listener);
  onTestFinished(async () => {
    refusedHopChannel.unsubscribe(listener);
    await dispatcher.close();
  });
  const send = async (uri: string, how: RequestOptions & { readonly route?: string } = {}) => {
    const request = newRequest("OPTIONS", uri);
    if (how.route !== undefined) request.headers.append("Route", how.route);
    let code: string | undefined;
    const observer = {
      response: () => undefined,
      failed: (error: { readonly code: string }) => {
        code = error.code;
      },
    };
    dispatcher.request(request, { ...how, observer });
    await network.clock.advance(10);
    return { code, to: [...new Set(network.log.map(({ to }) => to))] };
  };
  return { network, dispatcher, events, send };
}

const refused = { code: "SIP_HOP_REFUSED", to: [] };

function targetAt(uri: string, ...route: readonly string[]): Target {
  return { uri, q: 1, route, expiresAt: Number.POSITIVE_INFINITY };
}

describe("where a request may go", () => {
  it.each<readonly [string, string, RequestOptions & { readonly route?: string }]>([
    ["a request-URI", INSIDE, {}],
    ["a request-URI's name", "sip:x@inside.example.net:6379", {}],
    ["a name with several addresses", "sip:x@metadata.example.net", {}],
    ["a Route", "sip:x@192.0.2.9", { route: "<sip:a@169.254.169.254;lr>" }],
    ["a Route's name", "sip:x@192.0.2.9", { route: "<sip:a@inside.example.net;lr>" }],
    ["a strict router, that has become the request-URI", INSIDE, { to: INSIDE }],
    ["a contact", "sip:x@192.0.2.9", { target: targetAt(INSIDE), to: undefined as never }],
    ["a Path", INSIDE, { target: targetAt(INSIDE, "<sip:a@127.0.0.1;lr>") }],
  ])("is not on this machine by %s", async (_, uri, how) => {
    const { dispatcher, send } = await scene();
    const { to, ...rest } = how;
    const given = to === undefined ? rest : { ...rest, to };
    const asked = how.target === undefined ? uri : how.target.uri;
    expect(await send(asked, given)).toEqual(refused);
    expect(dispatcher.counters().refusedHops).toBeGreaterThan(0);
  });

  it("is where a name leads besides", async () => {
    const { dispatcher, events, send } = await scene();
    expect(await send("sip:x@both.example.net")).toMatchObject({ to: ["192.0.2.9:5060"] });
    expect(dispatcher.counters()).toMatchObject({ refusedHops: 2 });
    expect(events.map(({ at, node, hop, leg }) => [at, node, hop.address, leg.address])).toEqual([
      [0, "server", "169.254.169.254", "192.0.2.1"],
      [0, "server", "127.0.0.1", "192.0.2.1"],
    ]);
    const [event] = events;
    if (event === undefined) throw new Error("there were two");
    expect(refusedHopLine(event)).toMatch(
      /^-\| udp 169\.254\.169\.254:5060 +refused: OPTIONS sip:x@both\.example\.net +1 OPTIONS/,
    );
  });

  it.each<readonly [string, Partial<DispatcherOptions>, string, RequestOptions]>([
    ["outgoingProxy says", { outgoingProxy: "sip:p@127.0.0.1:6379" }, "sip:x@192.0.2.9", {}],
    [
      "domainToProxy says, of several places",
      { domainToProxy: { "192.0.2.9": ["sip:p@127.0.0.1:6379", "sip:p@127.0.0.1:6379"] } },
      "sip:x@192.0.2.9",
      {},
    ],
    ["a handler says by a URI", {}, "sip:x@192.0.2.9", { to: INSIDE }],
    [
      "a handler says by a peer",
      {},
      "sip:x@192.0.2.9",
      { to: { protocol: "udp", address: "127.0.0.1", port: 6379 } },
    ],
    ["mayReach says", { mayReach: ({ address }) => address === "127.0.0.1" }, INSIDE, {}],
  ])("is on this machine where %s", async (_, options, uri, how) => {
    const { send } = await scene(options);
    expect(await send(uri, how)).toMatchObject({ to: ["127.0.0.1:6379"] });
  });

  it.each([
    ["127.0.0.1:6379", INSIDE, true],
    ["sip:127.0.0.1;transport=tcp", "sip:x@127.0.0.1", true],
    ["[::ffff:127.0.0.1]:6379", INSIDE, true],
    ["sips:127.0.0.1", "sip:x@127.0.0.1:5061", true],
    ["127.0.0.1", INSIDE, false],
    ["inside.example.net", "sip:x@127.0.0.1:5060", false],
  ])(
    "is where outgoingProxy %s is, when a Route says %s: %s",
    async (outgoingProxy, uri, isSent) => {
      const { send } = await scene({ outgoingProxy });
      const { code } = await send("sip:x@192.0.2.9", { route: `<${uri};lr>` });
      expect(code).toBe(isSent ? undefined : "SIP_HOP_REFUSED");
    },
  );

  it("is told with the request and the leg, and may depend on them", async () => {
    const asked: (readonly string[])[] = [];
    const { send } = await scene({
      mayReach: (hop, request, leg) => {
        asked.push([request.method, hop.protocol, hop.address, leg.address]);
        return false;
      },
    });
    expect(await send("sip:x@192.0.2.9")).toEqual(refused);
    expect(asked).toEqual([["OPTIONS", "udp", "192.0.2.9", "192.0.2.1"]]);
  });

  it("fails the request, and nothing else, where mayReach throws", async () => {
    const { send } = await scene({
      mayReach: () => {
        throw new Error("out of order");
      },
    });
    expect(await send("sip:x@192.0.2.9")).toMatchObject({ to: [] });
  });
});
