import { describe, expect, it } from "vitest";
import { Dialog, recordRoutesOf } from "./test-kit/dialog.ts";
import { Scene } from "./test-kit/scene.ts";

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
