import type { Connection } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { Proxy } from "./proxy.ts";
import { Dialog, recordRoutesOf } from "./test-kit/dialog.ts";
import type { Phone } from "./test-kit/phone.ts";
import { Locator, Scene } from "./test-kit/scene.ts";

describe("Proxy, a call, RFC 3261 §16", () => {
  for (const [from, to] of [
    ["udp", "udp"],
    ["tcp", "udp"],
    ["udp", "tcp"],
    ["tcp", "tcp"],
  ] as const) {
    it(`goes through from ${from} to ${to}, and either side may hang up`, async () => {
      const scene = await Scene.start();
      const alice = await scene.phone("alice", from);
      const bob = await scene.phone("bob", to);
      await bob.register();
      bob.answer = (request) => {
        if (request.method !== "INVITE") return bob.respond(request, 200);
        bob.deliver(request, 180);
        return bob.respond(request, 200);
      };
      const call = alice.send("INVITE", "sip:bob@example.com");
      await scene.advance(50);
      expect(call.statuses).toEqual([180, 200]);
      const invite = bob.got("INVITE");
      expect(invite.uri).toBe(bob.contact);
      expect(invite.headers.get("max-forwards")).toBe("69");
      expect(recordRoutesOf(invite)).toHaveLength(2);

      const caller = Dialog.ofCaller(call.request, call.last);
      expect(bob.methods).toEqual(["INVITE", "ACK"]);

      const callee = Dialog.ofCallee(invite, call.last);
      const reinvite = bob.sendAs(callee.request("INVITE"));
      await scene.advance(50);
      expect(reinvite.statuses).toEqual([200]);
      bob.dispatcher.deliver(callee.request("ACK", 1001));
      await scene.advance(50);
      expect(alice.methods).toEqual(["INVITE", "ACK"]);

      const info = alice.sendAs(caller.request("INFO"));
      const bye = bob.sendAs(callee.request("BYE"));
      await scene.advance(50);
      expect(info.statuses).toEqual([200]);
      expect(bye.statuses).toEqual([200]);
      expect(alice.methods).toEqual(["INVITE", "ACK", "BYE"]);
      expect(bob.methods).toEqual(["INVITE", "ACK", "INFO"]);
      expect(scene.errors).toEqual([]);
    });
  }
});

/** The same numbers each time, from 0 to 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Answers an INVITE with 180 and 200. */
function pickUp(phone: Phone): void {
  phone.answer = (request) => {
    if (request.method === "INVITE") phone.deliver(request, 180);
    return phone.respond(request, 200);
  };
}

describe("Proxy, a network that loses datagrams", () => {
  for (const protocol of ["udp", "tcp"] as const) {
    it(`brings every call from ${protocol} to udp to its end with 10 % lost`, async () => {
      const random = seeded(7);
      const scene = await Scene.start({ loss: () => random() < 0.1 });
      const [alice, bob] = [await scene.phone("alice", protocol), await scene.phone("bob")];
      scene.locator.bindings.set("sip:bob@example.com", [
        { uri: bob.contact, q: 1, route: [], expiresAt: Number.POSITIVE_INFINITY },
      ]);
      pickUp(bob);
      const calls = Array.from({ length: 40 }, () => alice.send("INVITE", "sip:bob@example.com"));
      await scene.advance(32_000);
      const byes = calls.map((call) => {
        expect(call.statuses.filter((status) => status >= 200)).toContain(200);
        return alice.sendAs(Dialog.ofCaller(call.request, call.last).request("BYE"));
      });
      await scene.advance(32_000);
      for (const bye of byes) expect(bye.statuses.at(-1)).toBe(200);
      expect(bob.methods.filter((method) => method === "INVITE")).toHaveLength(40);
      expect(bob.methods.filter((method) => method === "BYE")).toHaveLength(40);
      await scene.advance(64_000);
      expect(scene.errors).toEqual([]);
      for (const [name, count] of Object.entries(scene.server.stats())) {
        if (name !== "connections") expect([name, count]).toEqual([name, 0]);
      }
    });
  }
});

describe("Proxy, two of them in a row", () => {
  it("keeps both on the path, each with the phone's own connection", async () => {
    const scene = await Scene.start();
    const locator = new Locator();
    let between: Connection | undefined;
    const far = scene.dispatcher("192.0.2.2", "example.org", [
      (packet) => {
        if (packet.isRequest && packet.method === "INVITE") {
          between = packet.arrival?.from.connection;
        }
      },
      locator,
      new Proxy(),
    ]);
    await far.listen();
    const [alice, bob] = [await scene.phone("alice", "tcp"), await scene.phone("bob", "tcp")];
    pickUp(bob);
    bob.send("REGISTER", "sip:example.org", { To: "<sip:bob@example.org>" }, "192.0.2.2");
    await scene.advance(20);
    const call = alice.send("INVITE", "sip:bob@192.0.2.2;transport=tcp", { "X-User": "alice" });
    await scene.advance(50);
    expect(call.statuses).toEqual([180, 200]);
    const invite = bob.got("INVITE");
    expect(recordRoutesOf(invite)).toHaveLength(4);
    expect(invite.headers.getAll("via")).toHaveLength(3);
    expect(invite.headers.get("max-forwards")).toBe("68");

    // The connection between the two is nobody's flow: another one will do.
    expect(between).toBeDefined();
    scene.transports.get("tcp:192.0.2.2")?.cut(between);
    await scene.advance(20);
    const info = alice.sendAs(Dialog.ofCaller(call.request, call.last).request("INFO"));
    const bye = bob.sendAs(Dialog.ofCallee(invite, call.last).request("BYE"));
    await scene.advance(50);
    expect(info.statuses).toEqual([200]);
    expect(bye.statuses).toEqual([200]);
    expect(bob.methods).toEqual(["INVITE", "ACK", "INFO"]);
    expect(alice.methods).toEqual(["BYE"]);
    expect(scene.errors).toEqual([]);
  });
});
