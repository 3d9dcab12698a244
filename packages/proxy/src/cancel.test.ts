import type { Packet } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import type { Phone } from "./test-kit/phone.ts";
import { Scene } from "./test-kit/scene.ts";

/** A phone of bob's that leaves INVITEs waiting. */
async function bobsPhone(scene: Scene, name: string, q = 1): Promise<Phone> {
  const phone = await scene.phone(name);
  phone.answer = (request) => (request.method === "INVITE" ? "later" : phone.respond(request, 200));
  await phone.register({ user: "bob", q });
  return phone;
}

describe("Proxy, CANCEL, RFC 3261 §16.10", () => {
  it("cancels every branch and answers 487 once they have ended", async () => {
    const scene = await Scene.start();
    const phones = [await bobsPhone(scene, "desk"), await bobsPhone(scene, "mobile")];
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    for (const phone of phones) phone.deliver(phone.got("INVITE"), 180);
    await scene.advance(20);
    call.transaction?.cancel();
    await scene.advance(50);
    expect(call.statuses).toEqual([180, 180, 487]);
    for (const phone of phones) expect(phone.got("INVITE").signal.aborted).toBe(true);
    await scene.advance(64_000);
    expect(scene.errors).toEqual([]);
    expect(Object.values(scene.server.stats()).every((count) => count === 0)).toBe(true);
  });

  it("forwards responses that repeat our Via alone, as Net::SIP's 487 does", async () => {
    const scene = await Scene.start();
    const desk = await bobsPhone(scene, "desk");
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    const invite = desk.got("INVITE");
    for (const status of [180, 487]) {
      const response = desk.respond(invite, status);
      response.headers.set("via", invite.headers.get("via") ?? "");
      desk.dispatcher.deliver(response);
      await scene.advance(20);
    }
    expect(call.statuses).toEqual([180, 487]);
    expect(call.last.headers.getAll("via")).toHaveLength(1);
    expect(call.last.to.tag).toBe(desk.respond(invite, 487).to.tag);
    expect(scene.errors).toEqual([]);
  });

  it("forwards the 2xx of a device that answered meanwhile", async () => {
    const scene = await Scene.start();
    const desk = await bobsPhone(scene, "desk");
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    desk.deliver(desk.got("INVITE"), 180);
    await scene.advance(20);
    desk.deliver(desk.got("INVITE"), 200);
    call.transaction?.cancel();
    await scene.advance(50);
    expect(call.statuses).toEqual([180, 200]);
    expect(scene.errors).toEqual([]);
  });

  it("waits for a provisional response before it sends a CANCEL on", async () => {
    const scene = await Scene.start();
    const desk = await bobsPhone(scene, "desk");
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    // The proxy's own 100 lets alice cancel; the desk says nothing before its own 100, 200 ms later.
    await scene.advance(150);
    desk.transport.cut();
    call.transaction?.cancel();
    await scene.advance(40);
    const cancels = (): number =>
      scene.network.log.filter(
        ({ to, wire }) => to.startsWith("192.0.2.10:") && wire.startsWith("CANCEL"),
      ).length;
    expect(cancels()).toBe(0);
    await scene.advance(300);
    expect(cancels()).toBe(1);
    expect(call.statuses.at(-1)).toBe(487);
  });

  it("answers 487 where the device never said a word", async () => {
    const scene = await Scene.start({ loss: ({ wire }) => wire.startsWith("INVITE sip:desk@") });
    await bobsPhone(scene, "desk");
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(1000);
    call.transaction?.cancel();
    await scene.advance(32_000);
    expect(call.statuses).toEqual([100, 487]);
    expect(scene.errors).toEqual([]);
  });

  it("answers 487 where another device has refused before", async () => {
    const scene = await Scene.start();
    const desk = await bobsPhone(scene, "desk");
    const mobile = await bobsPhone(scene, "mobile");
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    desk.deliver(desk.got("INVITE"), 486);
    mobile.deliver(mobile.got("INVITE"), 180);
    await scene.advance(20);
    call.transaction?.cancel();
    await scene.advance(50);
    expect(call.statuses).toEqual([180, 487]);
  });

  it("tries nobody else", async () => {
    const scene = await Scene.start({ fork: "serial" });
    const first = await bobsPhone(scene, "desk", 0.9);
    const second = await bobsPhone(scene, "mobile", 0.1);
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    first.deliver(first.got("INVITE"), 180);
    await scene.advance(20);
    call.transaction?.cancel();
    await scene.advance(40_000);
    expect(call.statuses).toEqual([180, 487]);
    expect(second.methods).toEqual([]);
  });

  it("cancels what rings when the caller's connection is lost", async () => {
    const scene = await Scene.start();
    const desk = await bobsPhone(scene, "desk");
    const alice = await scene.phone("alice", "tcp");
    alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    const { signal } = desk.got("INVITE");
    desk.deliver(desk.got("INVITE"), 180);
    await scene.advance(20);
    alice.transport.cut();
    await scene.advance(20);
    expect(signal.aborted).toBe(true);
  });

  it("tries no other way to a device any more", async () => {
    const scene = await Scene.start({ loss: ({ wire }) => wire.startsWith("INVITE sip:desk@") });
    for (const [name, q] of [
      ["desk", 0.9],
      ["mobile", 0.1],
    ] as const) {
      const phone = await scene.phone(name);
      await phone.register({ user: "bob", q, instance: "urn:uuid:same" });
    }
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(1000);
    call.transaction?.cancel();
    await scene.advance(40_000);
    expect(call.statuses).toEqual([100, 487]);
    expect(scene.network.log.some(({ wire }) => wire.startsWith("INVITE sip:mobile@"))).toBe(false);
  });

  it("answers 487 where the next hop's name is still looked up", async () => {
    const scene = await Scene.start({ resolver: { resolve: () => new Promise(() => undefined) } });
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@slow.example", { "X-User": "alice" });
    await scene.advance(300);
    call.transaction?.cancel();
    await scene.advance(20);
    expect(call.statuses).toEqual([100, 487]);
    expect(scene.errors).toEqual([]);
  });

  it("forwards nothing where the CANCEL came before the look-up was over", async () => {
    let found = (): void => undefined;
    const slow = (packet: Packet): Promise<undefined> | undefined =>
      packet.isRequest && packet.method === "INVITE"
        ? new Promise((resolve) => {
            found = () => resolve(undefined);
          })
        : undefined;
    const scene = await Scene.start({ before: [slow] });
    const desk = await bobsPhone(scene, "desk");
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(300);
    call.transaction?.cancel();
    await scene.advance(20);
    found();
    await scene.advance(1000);
    expect(call.statuses).toEqual([100, 487]);
    expect(desk.methods).toEqual([]);
    expect(scene.errors).toEqual([]);
  });
});
