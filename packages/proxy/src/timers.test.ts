import { Request } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import type { Phone } from "./test-kit/phone.ts";
import { Scene } from "./test-kit/scene.ts";

const finals = (statuses: readonly number[]): readonly number[] =>
  statuses.filter((status) => status >= 200);

async function ringing(scene: Scene): Promise<Phone> {
  const bob = await scene.phone("bob");
  bob.answer = (request) => {
    if (request.method !== "INVITE") return bob.respond(request, 200);
    // Somebody looks at the signal, so that the phone doesn't answer a CANCEL by itself.
    if (request.signal.aborted) return undefined;
    bob.deliver(request, 180);
    return "later";
  };
  await bob.register();
  return bob;
}

describe("Proxy, Timer C, RFC 3261 §16.8", () => {
  it("cancels a branch that rings too long, and answers 408", async () => {
    const scene = await Scene.start();
    const bob = await ringing(scene);
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    const invite = bob.got("INVITE");
    invite.signal.addEventListener("abort", () => bob.deliver(invite, 487));
    await scene.advance(180_000);
    expect(invite.signal.aborted).toBe(false);
    expect(finals(call.statuses)).toEqual([]);
    await scene.advance(900);
    expect(invite.signal.aborted).toBe(true);
    expect(finals(call.statuses)).toEqual([408]);
    expect(scene.errors).toEqual([]);
    expect(scene.server.counters()).toMatchObject({ timerCExpired: 1 });
  });

  it("may be longer than our own server transaction waits for news", async () => {
    const scene = await Scene.start({ timerC: 600_000 });
    const bob = await ringing(scene);
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    const invite = bob.got("INVITE");
    invite.signal.addEventListener("abort", () => bob.deliver(invite, 487));
    const ring = async (ms: number): Promise<void> => {
      // Keeps the phone's own dispatcher waiting, and nobody else.
      bob.deliver(invite, 100);
      await scene.advance(ms);
    };
    for (let minute = 0; minute < 9; minute += 1) await ring(60_000);
    bob.deliver(invite, 183);
    for (let minute = 0; minute < 9; minute += 1) await ring(60_000);
    await ring(59_000);
    expect(invite.signal.aborted).toBe(false);
    expect(finals(call.statuses)).toEqual([]);
    await scene.advance(1_100);
    expect(invite.signal.aborted).toBe(true);
    expect(finals(call.statuses)).toEqual([408]);
    expect(scene.errors).toEqual([]);
    expect(scene.server.counters()).toMatchObject({ timerCExpired: 1 });
    expect(scene.server.counters()).not.toHaveProperty("unansweredRequests");
  });

  it("starts again with each provisional response but 100", async () => {
    const scene = await Scene.start();
    const bob = await ringing(scene);
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    const invite = bob.got("INVITE");
    for (let minute = 0; minute < 10; minute += 1) {
      await scene.advance(120_000);
      bob.deliver(invite, 183);
    }
    await scene.advance(179_000);
    expect(invite.signal.aborted).toBe(false);
    bob.deliver(invite, 200);
    await scene.advance(20);
    expect(finals(call.statuses)).toEqual([200]);
    await scene.advance(64_000);
    expect(scene.errors).toEqual([]);
    expect(Object.values(scene.server.stats()).every((count) => count === 0)).toBe(true);
  });

  it("answers 408 also where the CANCEL is of no use", async () => {
    const scene = await Scene.start();
    await ringing(scene);
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(181_000 + 33_000);
    expect(finals(call.statuses)).toEqual([408]);
    // It is the proxy that answers: nobody takes its request for forgotten.
    expect(scene.errors).toEqual([]);
  });

  it("forwards the 2xx that crosses its CANCEL", async () => {
    const scene = await Scene.start();
    const bob = await ringing(scene);
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    const invite = bob.got("INVITE");
    invite.signal.addEventListener("abort", () => bob.deliver(invite, 200));
    await scene.advance(181_000);
    expect(finals(call.statuses)).toEqual([200]);
  });

  it("can be made no shorter than three minutes", async () => {
    await expect(Scene.start({ timerC: 60_000 })).rejects.toThrow("timerC");
    await expect(Scene.start({ timerC: 180_000 })).rejects.toThrow("timerC");
    await expect(Scene.start({ timerC: Number.NaN })).rejects.toThrow("timerC");
    await expect(Scene.start({ timerC: Number.POSITIVE_INFINITY })).rejects.toThrow("timerC");
    await expect(Scene.start({ maxBreadth: 0 })).rejects.toThrow("maxBreadth");
    await expect(Scene.start({ maxTargets: 1.5 })).rejects.toThrow("maxTargets");
    await expect(Scene.start({ serialTimeout: 0 })).rejects.toThrow("serialTimeout");
  });
});

describe("Proxy, a device that says nothing", () => {
  const ownHeaders = {
    "Max-Forwards": "70",
    From: "<sip:example.com>;tag=1",
    To: "<sip:carol@example.com>",
    "Call-ID": "own",
    CSeq: "1 OPTIONS",
  };
  const silent = ({ wire }: { readonly wire: string }): boolean =>
    /^(INVITE|MESSAGE) sip:bob@192/.test(wire);

  it("answers an INVITE with 408", async () => {
    const scene = await Scene.start({ loss: silent });
    const bob = await scene.phone("bob");
    await bob.register();
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(33_000);
    expect(call.statuses).toEqual([100, 408]);
    expect(scene.errors).toEqual([]);
  });

  it("answers nothing to others, RFC 4320 §4.2", async () => {
    const scene = await Scene.start({ loss: silent });
    const bob = await scene.phone("bob");
    await bob.register();
    const alice = await scene.phone("alice");
    const sent = alice.send("MESSAGE", "sip:bob@example.com");
    await scene.advance(70_000);
    expect(finals(sent.statuses)).toEqual([]);
    expect(sent.failures.map(({ code }) => code)).toEqual(["SIP_TIMEOUT"]);
    expect(scene.server.counters()).toMatchObject({ unansweredForwards: 1 });
    expect(scene.errors).toEqual([]);
  });

  it("isn't taken for an unanswered request, whichever timer was set first", async () => {
    const scene = await Scene.start({ loss: silent });
    const [bob, carol] = [await scene.phone("bob"), await scene.phone("carol")];
    await bob.register();
    const alice = await scene.phone("alice");
    // From here the server's Timer F runs for a request of its own, so that for the MESSAGE it is set again later.
    scene.server.request(new Request("OPTIONS", carol.contact, { headers: ownHeaders }));
    await scene.advance(10);
    alice.send("MESSAGE", "sip:bob@example.com");
    await scene.advance(70_000);
    expect(scene.errors).toEqual([]);
    expect(scene.server.counters()).toMatchObject({ unansweredForwards: 1 });
  });

  it("forwards no 408 to others, but what another device said", async () => {
    const scene = await Scene.start();
    const [desk, mobile] = [await scene.phone("desk"), await scene.phone("mobile")];
    await desk.register({ user: "bob" });
    // As a device does that doesn't know better.
    desk.answer = (request) => {
      const { arrival } = request;
      if (arrival !== undefined) {
        desk.transport.send(desk.respond(request, 408).toWire(), arrival.from);
      }
      return "drop";
    };
    const alice = await scene.phone("alice");
    const unanswered = alice.send("MESSAGE", "sip:bob@example.com");
    await scene.advance(5_000);
    expect(finals(unanswered.statuses)).toEqual([]);
    await mobile.register({ user: "bob" });
    mobile.answer = (request) => mobile.respond(request, 486);
    const refused = alice.send("MESSAGE", "sip:bob@example.com");
    await scene.advance(50);
    expect(refused.statuses).toEqual([486]);
  });

  it("answers 500 where nobody listens on the other side's TCP port, RFC 3261 §16.9", async () => {
    const scene = await Scene.start();
    const alice = await scene.phone("alice");
    const call = alice.send("INVITE", "sip:bob@192.0.2.77;transport=tcp", { "X-User": "alice" });
    const sent = alice.send("MESSAGE", "sip:bob@192.0.2.77;transport=tcp", { "X-User": "alice" });
    await scene.advance(100);
    expect(finals(call.statuses)).toEqual([500]);
    expect(finals(sent.statuses)).toEqual([500]);
    expect(scene.errors).toEqual([]);
  });
});
