import type { NextHop, Resolver } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { Scene } from "./test-kit/scene.ts";

const at = (address: string, protocol: "udp" | "tcp" = "udp"): NextHop => ({
  protocol,
  address,
  port: 5060,
});

/** Finds these places for every name. */
const finds = (...hops: readonly NextHop[]): Resolver => ({ resolve: () => hops });

const finals = (statuses: readonly number[]): readonly number[] =>
  statuses.filter((status) => status >= 200);

const outward = { "X-User": "alice" };
const far = "sip:bob@far.example.org";

describe("Proxy, a next hop with several addresses, RFC 3261 §16.6 step 7", () => {
  it("tries the next one, and signs each copy for the leg that it goes by", async () => {
    const resolver = finds(at("192.0.2.10"), at("192.0.2.11", "tcp"));
    const scene = await Scene.start({ resolver });
    const busy = await scene.phone("busy");
    const bob = await scene.phone("bob", "tcp");
    busy.answer = (request) => busy.respond(request, 503);
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", far, outward);
    await scene.advance(100);
    expect(finals(call.statuses)).toEqual([200]);
    const [first, second] = [busy.got("INVITE"), bob.got("INVITE")];
    const routes = second.headers.getAll("record-route");
    expect(routes).toHaveLength(2);
    expect(routes[0]).toContain(";transport=tcp");
    expect(first.headers.getAll("record-route")[0]).not.toContain("transport");
    expect(second.headers.getAll("via")).toHaveLength(2);
    expect(second.branch).toBe(`z9hG4bK2.${first.branch?.slice("z9hG4bK".length)}`);
    expect(bob.methods).toEqual(["INVITE", "ACK"]);
    expect(scene.server.counters()).toMatchObject({ failovers: 1 });
    expect(scene.errors).toEqual([]);
  });

  it("forwards a CANCEL to where the INVITE rings", async () => {
    const scene = await Scene.start({ resolver: finds(at("192.0.2.10"), at("192.0.2.11")) });
    const [busy, bob] = [await scene.phone("busy"), await scene.phone("bob")];
    busy.answer = (request) => busy.respond(request, 503);
    bob.answer = (request) => {
      bob.deliver(request, 180);
      return "later";
    };
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", far, outward);
    await scene.advance(100);
    call.transaction?.cancel();
    await scene.advance(100);
    expect(call.statuses).toEqual([180, 487]);
    expect(scene.errors).toEqual([]);
    await scene.advance(200_000);
    const idle = { inviteClients: 0, inviteServers: 0, waitingRequests: 0, targetsSetAside: 0 };
    expect(scene.server.stats()).toMatchObject(idle);
  });

  it("knows a loop through an address that was not the first", async () => {
    const scene = await Scene.start({ resolver: finds(at("192.0.2.77", "tcp"), at("192.0.2.1")) });
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", far, outward);
    await scene.advance(500);
    expect(finals(call.statuses)).toEqual([482]);
    expect(scene.server.counters()).toMatchObject({ loops: 1 });
  });

  it("answers 500 where all are overloaded, RFC 3261 §16.7 step 6", async () => {
    const scene = await Scene.start({ resolver: finds(at("192.0.2.10"), at("192.0.2.11")) });
    for (const name of ["one", "other"]) {
      const phone = await scene.phone(name);
      phone.answer = (request) => phone.respond(request, 503);
    }
    const alice = await scene.phone("alice");
    const sent = alice.send("MESSAGE", far, outward);
    await scene.advance(100);
    expect(sent.statuses).toEqual([500]);
  });

  it("tries no other when a MESSAGE has timed out, RFC 4320 §4.2", async () => {
    const scene = await Scene.start({ resolver: finds(at("192.0.2.77"), at("192.0.2.10")) });
    const bob = await scene.phone("bob");
    const alice = await scene.phone("alice");
    const sent = alice.send("MESSAGE", far, outward);
    await scene.advance(40_000);
    expect(finals(sent.statuses)).toEqual([]);
    expect(bob.methods).toEqual([]);
    expect(scene.server.counters()).toMatchObject({ unansweredForwards: 1 });
  });

  it("gives a MESSAGE up in time when it went to another address late", async () => {
    const scene = await Scene.start({
      resolver: finds(at("192.0.2.77", "tcp"), at("192.0.2.78")),
    });
    const alice = await scene.phone("alice");
    // Nothing comes back: to open the connection takes its ten seconds.
    scene.network.partition(["192.0.2.1", "192.0.2.10"], ["192.0.2.77"]);
    const sent = alice.send("MESSAGE", far, outward);
    await scene.advance(20_000);
    expect(scene.server.counters()).toMatchObject({ failovers: 1 });
    await scene.advance(20_000);
    expect(finals(sent.statuses)).toEqual([]);
    expect(scene.server.counters()).toMatchObject({ unansweredForwards: 1 });
    expect(scene.server.stats()).toMatchObject({ nonInviteClients: 0, waitingRequests: 0 });
    expect(scene.errors).toEqual([]);
  });

  it("rings the next one when an INVITE has timed out", async () => {
    const scene = await Scene.start({ resolver: finds(at("192.0.2.77"), at("192.0.2.10")) });
    const bob = await scene.phone("bob");
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", far, outward);
    await scene.advance(33_000);
    expect(finals(call.statuses)).toEqual([200]);
    expect(bob.methods).toEqual(["INVITE", "ACK"]);
    expect(scene.errors).toEqual([]);
  });

  it("calls a phone that is registered over UDP by UDP, however large the INVITE", async () => {
    const scene = await Scene.start();
    const [alice, bob] = [await scene.phone("alice", "tcp"), await scene.phone("bob")];
    await bob.register({ contact: "sip:bob@192.0.2.11:5060" });
    const call = alice.send("INVITE", "sip:bob@example.com", { Subject: "x".repeat(2_000) });
    await scene.advance(100);
    expect(finals(call.statuses)).toEqual([200]);
    expect(bob.got("INVITE").topmostVia?.transport).toBe("UDP");
  });
});
