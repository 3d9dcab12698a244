import { describe, expect, it } from "vitest";
import type { ResolveOptions, Resolver } from "../resolve/resolver.ts";
import { newRequest } from "../test-kit/new-request.ts";
import { VirtualNetwork } from "../testing/virtual-network.ts";
import { Dispatcher } from "./dispatcher.ts";

/** A dispatcher on three legs whose resolver notes what it is told, and finds nothing. */
async function scene() {
  const network = new VirtualNetwork();
  const told: (ResolveOptions | undefined)[] = [];
  const resolver: Resolver = {
    resolve(_uri, options) {
      told.push(options);
      return [];
    },
    counters: () => ({ lookedUp: told.length }),
  };
  const dispatcher = new Dispatcher({
    legs: (["tcp:192.0.2.1:5060", "udp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060"] as const).map(
      (leg) => ({ listen: network.transport(leg) }),
    ),
    clock: network.clock,
    resolver,
  });
  await dispatcher.listen();
  const request = newRequest("OPTIONS", "sip:service.example.com");
  return { dispatcher, request, told };
}

describe("a resolver", () => {
  it("is told which protocols and address families the legs have, in their order", async () => {
    const { dispatcher, request, told } = await scene();
    await expect(dispatcher.request(request).final).rejects.toMatchObject({ code: "SIP_NO_LEG" });
    expect(told).toEqual([{ protocols: ["tcp", "udp"], families: [4, 6] }]);
    await dispatcher.close();
  });

  it("is told those of the one leg that a request is to go by", async () => {
    const { dispatcher, request, told } = await scene();
    const leg = dispatcher.legs[2];
    if (leg === undefined) throw new Error("there are three legs");
    await expect(dispatcher.request(request, { leg }).final).rejects.toThrow();
    expect(told).toEqual([{ protocols: ["tcp"], families: [6] }]);
    await dispatcher.close();
  });

  it("has its counters among the dispatcher's", async () => {
    const { dispatcher, request } = await scene();
    await expect(dispatcher.request(request).final).rejects.toThrow();
    expect(dispatcher.counters()).toMatchObject({ lookedUp: 1 });
    await dispatcher.close();
  });
});
