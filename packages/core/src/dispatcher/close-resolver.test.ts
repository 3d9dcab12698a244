import { createSocket } from "node:dgram";
import { promises } from "node:dns";
import { once } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Request } from "../message/request.ts";
import { dnsResolver } from "../resolve/dns-resolver.ts";
import type { NextHop } from "../resolve/resolver.ts";
import { newRequest } from "../test-kit/new-request.ts";
import { Dispatcher } from "./dispatcher.ts";

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A DNS server that says nothing; resolves when it is asked something. */
async function silentServer(): Promise<{ readonly address: string; asked: Promise<unknown> }> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  cleanups.push(() => socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked: once(socket, "message") };
}

function request(): Request {
  return newRequest("MESSAGE", "sip:bob@service.example:5060");
}

describe("dispatcher.close, a look-up under way", () => {
  it("gives it up, so that it keeps no process alive, and fails its request", async () => {
    const dns = await silentServer();
    // The machine's servers are what they are: the resolver of node:dns that the dispatcher made asks this one.
    const { prototype } = promises.Resolver;
    const ask = prototype.resolve4 as unknown as (name: string, options: object) => Promise<never>;
    const spy = vi.spyOn(prototype, "resolve4").mockImplementation(function (
      this: promises.Resolver,
      name: string,
    ) {
      this.setServers([dns.address]);
      return ask.call(this, name, { ttl: true });
    });
    cleanups.push(() => spy.mockRestore());
    const server = new Dispatcher({ legs: ["udp:127.0.0.1:0"] });
    await server.listen();
    const { final } = server.request(request());
    await dns.asked;
    await server.close();
    await expect(final).rejects.toMatchObject({ code: "SIP_CLOSED" });
    expect(server.stats()).toMatchObject({ unresolvedRequests: 0 });
    expect(spy).toHaveBeenCalledTimes(1);
  });

  it("leaves a resolver alone that it was given, and sends nothing when that answers", async () => {
    let answer: (hops: readonly NextHop[]) => void = () => undefined;
    const resolver = {
      resolve: () =>
        new Promise<readonly NextHop[]>((resolve) => {
          answer = resolve;
        }),
      close: () => expect.fail("it is its giver's"),
    };
    const server = new Dispatcher({ legs: ["udp:127.0.0.1:0"], resolver });
    await server.listen();
    const { final } = server.request(request());
    await server.close();
    answer([{ protocol: "udp", address: "127.0.0.1", port: 9 }]);
    await expect(final).rejects.toMatchObject({ code: "SIP_CLOSED" });
  });
});

it("a resolver that is closed asks nobody any more", async () => {
  const dns = await silentServer();
  const machine = vi.spyOn(promises, "lookup");
  cleanups.push(() => machine.mockRestore());
  const resolver = dnsResolver({ servers: [dns.address] });
  const pending = Promise.resolve(resolver.resolve("sip:a.example"));
  await dns.asked;
  resolver.close?.();
  await expect(pending).rejects.toMatchObject({ code: "SIP_NO_ADDRESS" });
  await expect(resolver.resolve("sip:b.example")).rejects.toMatchObject({ code: "SIP_NO_ADDRESS" });
  expect(machine).not.toHaveBeenCalled();
});
