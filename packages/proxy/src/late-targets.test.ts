import {
  type LateTargetsObserver,
  lateTargets,
  type Packet,
  type Target,
  targets,
  type Verdict,
} from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { StatelessProxy } from "./stateless-proxy.ts";
import type { Phone, Sent } from "./test-kit/phone.ts";
import { Scene, type SceneOptions } from "./test-kit/scene.ts";

/** Stands for a registrar that wakes devices: hands out what the proxy watches with. */
class Waker {
  readonly watched: LateTargetsObserver[] = [];
  ended = 0;
  expected = 1;
  /** What happens before `watch` returns. */
  onWatch: (observer: LateTargetsObserver) => void = () => undefined;
  readonly receive = (packet: Packet): Verdict => {
    if (!packet.isRequest || packet.method === "REGISTER" || packet.method === "ACK") return;
    if (!packet.uri.startsWith("sip:bob@")) return;
    packet.set(targets, []);
    packet.set(lateTargets, {
      expected: this.expected,
      watch: (observer) => {
        this.watched.push(observer);
        this.onWatch(observer);
        return () => {
          this.ended += 1;
        };
      },
    });
  };

  get observer(): LateTargetsObserver {
    const last = this.watched.at(-1);
    if (last === undefined) throw new Error("nobody watches");
    return last;
  }
}

interface Act {
  readonly scene: Scene;
  readonly waker: Waker;
  readonly alice: Phone;
  readonly sent: Sent;
}

/** bob's phones that are registered are in the targets; the others come late. */
async function call(
  method: string,
  options: SceneOptions & {
    expected?: number;
    headers?: Record<string, string>;
    onWatch?: Waker["onWatch"];
  } = {},
  before: (scene: Scene) => Promise<void> = () => Promise.resolve(),
): Promise<Act> {
  const waker = new Waker();
  waker.expected = options.expected ?? 1;
  waker.onWatch = options.onWatch ?? waker.onWatch;
  const scene = await Scene.start({ before: [waker.receive], ...options });
  await before(scene);
  const alice = await scene.phone("alice");
  const sent = alice.send(method, "sip:bob@example.com", options.headers);
  await scene.advance(50);
  return { scene, waker, alice, sent };
}

function target(phone: Phone, more: Partial<Target> = {}): Target {
  return { uri: phone.contact, q: 1, route: [], expiresAt: Number.POSITIVE_INFINITY, ...more };
}

/** A phone that leaves an INVITE waiting. */
async function ringing(scene: Scene, name: string): Promise<Phone> {
  const phone = await scene.phone(name);
  phone.answer = (request) => (request.method === "INVITE" ? "later" : phone.respond(request, 200));
  return phone;
}

/** A call to bob that rings at his desk already. */
async function callToRingingDesk(): Promise<{ readonly act: Act; readonly desk: Phone }> {
  const phones: Phone[] = [];
  const act = await call("INVITE", {}, async (scene) => {
    const phone = await ringing(scene, "desk");
    await phone.register({ user: "bob" });
    phones.push(phone);
  });
  const [desk] = phones as [Phone];
  desk.deliver(desk.got("INVITE"), 180);
  return { act, desk };
}

const finals = (sent: Sent): readonly number[] => sent.statuses.filter((status) => status >= 200);

function isQuiet({ scene, waker }: Act): void {
  expect(waker.ended).toBe(1);
  expect(scene.server.stats()).toMatchObject({ waitingRequests: 0 });
  expect(scene.errors).toEqual([]);
}

describe("Proxy, targets that come late, RFC 8599 §5.6.2", () => {
  it.each(["INVITE", "MESSAGE"])(
    "holds a %s for the device, and forwards it then",
    async (method) => {
      const act = await call(method);
      const { scene, waker, sent } = act;
      const bob = await scene.phone("bob");
      await scene.advance(4000);
      expect(finals(sent)).toEqual([]);
      waker.observer.found([target(bob)]);
      waker.observer.settled();
      await scene.advance(50);
      expect(finals(sent)).toEqual([200]);
      expect(bob.methods[0]).toBe(method);
      expect(bob.received[0]?.uri).toBe(bob.contact);
      isQuiet(act);
    },
  );

  it.each(["INVITE", "MESSAGE"])("answers a %s with 480 when nobody comes", async (method) => {
    const act = await call(method);
    await act.scene.advance(3000);
    act.waker.observer.settled();
    await act.scene.advance(50);
    expect(finals(act.sent)).toEqual([480]);
    isQuiet(act);
  });

  it("answers 487 to a CANCEL while it is held, and sends nothing to who comes after", async () => {
    const act = await call("INVITE");
    const { scene, waker, sent } = act;
    await scene.advance(1000);
    sent.transaction?.cancel();
    await scene.advance(50);
    expect(finals(sent)).toEqual([487]);
    const bob = await scene.phone("bob");
    waker.observer.found([target(bob)]);
    waker.observer.settled();
    await scene.advance(1000);
    expect(bob.received).toEqual([]);
    expect(finals(sent)).toEqual([487]);
    isQuiet(act);
  });

  it("rings who is there at once, and who comes late beside", async () => {
    const { act, desk } = await callToRingingDesk();
    const { scene, waker, sent } = act;
    const mobile = await ringing(scene, "mobile");
    waker.observer.found([target(mobile)]);
    waker.observer.settled();
    await scene.advance(50);
    mobile.deliver(mobile.got("INVITE"), 200);
    await scene.advance(50);
    expect(finals(sent)).toEqual([200]);
    expect(desk.got("INVITE").signal.aborted).toBe(true);
    isQuiet(act);
  });

  it("waits for who comes late when all others have refused, whose answer counts in the end", async () => {
    const act = await call("INVITE", {}, async (scene) => {
      const desk = await scene.phone("desk");
      desk.answer = (request) => desk.respond(request, 486);
      await desk.register({ user: "bob" });
    });
    const { scene, waker, sent } = act;
    await scene.advance(2000);
    expect(finals(sent)).toEqual([]);
    waker.observer.settled();
    await scene.advance(50);
    expect(finals(sent)).toEqual([486]);
    isQuiet(act);
  });

  it("doesn't wait when a device declines for the callee: 6xx", async () => {
    const act = await call("INVITE", {}, async (scene) => {
      const desk = await scene.phone("desk");
      desk.answer = (request) => desk.respond(request, 603);
      await desk.register({ user: "bob" });
    });
    await act.scene.advance(50);
    expect(finals(act.sent)).toEqual([603]);
    isQuiet(act);
  });

  it("rings who comes after the wait is over, while others ring", async () => {
    const { act } = await callToRingingDesk();
    const { scene, waker, sent } = act;
    waker.observer.settled();
    await scene.advance(10_000);
    const mobile = await ringing(scene, "mobile");
    waker.observer.found([target(mobile)]);
    await scene.advance(50);
    mobile.deliver(mobile.got("INVITE"), 200);
    await scene.advance(50);
    expect(finals(sent)).toEqual([200]);
    isQuiet(act);
  });

  it("gives up by itself after 32 s, and says so", async () => {
    const act = await call("INVITE");
    const { scene, sent } = act;
    await scene.advance(31_000);
    expect(finals(sent)).toEqual([]);
    await scene.advance(1000);
    expect(finals(sent)).toEqual([480]);
    expect(scene.server.counters().lateTargetsOverdue).toBe(1);
    isQuiet(act);
  });

  it("sends no second branch to a device that rings already, nor to the same place", async () => {
    const phones: Phone[] = [];
    const instance = "urn:uuid:1";
    const act = await call("INVITE", { expected: 2 }, async (scene) => {
      const mobile = await ringing(scene, "mobile");
      await mobile.register({ user: "bob", instance });
      phones.push(mobile);
    });
    const { scene, waker } = act;
    const [mobile] = phones as [Phone];
    const [first] = [...scene.locator.bindings.values()][0] as [Target];
    waker.observer.found([first]);
    await scene.advance(50);
    expect(mobile.methods.filter((method) => method === "INVITE")).toHaveLength(1);
    mobile.deliver(mobile.got("INVITE"), 180);
    await scene.advance(50);
    const elsewhere = await ringing(scene, "elsewhere");
    waker.observer.found([target(elsewhere, { instance: `<${instance}>` })]);
    await scene.advance(50);
    expect(elsewhere.received).toEqual([]);
  });

  it("sends another branch to a device that came back from elsewhere and has said nothing", async () => {
    const instance = "urn:uuid:1";
    const act = await call("INVITE", {}, async (scene) => {
      const mobile = await ringing(scene, "mobile");
      await mobile.register({ user: "bob", instance });
    });
    const { scene, waker } = act;
    const elsewhere = await ringing(scene, "elsewhere");
    waker.observer.found([target(elsewhere, { instance: `<${instance}>` })]);
    await scene.advance(50);
    expect(elsewhere.methods).toEqual(["INVITE"]);
  });

  it("divides Max-Breadth with those who are still to come, RFC 5393 §5.3.3", async () => {
    const phones: Phone[] = [];
    const act = await call("INVITE", { expected: 2, maxBreadth: 9 }, async (scene) => {
      const desk = await ringing(scene, "desk");
      await desk.register({ user: "bob" });
      phones.push(desk);
    });
    const { scene, waker } = act;
    for (const name of ["mobile", "tablet", "watch"]) {
      const phone = await ringing(scene, name);
      phones.push(phone);
      waker.observer.found([target(phone)]);
      await scene.advance(50);
    }
    const breadths = phones.map(({ received }) => received[0]?.headers.get("max-breadth"));
    expect(breadths).toEqual(["3", "3", "3", undefined]);
    expect(scene.server.counters().breadthExhausted).toBe(1);
  });

  it("counts who comes late among maxTargets", async () => {
    const act = await call("INVITE", { expected: 2, maxTargets: 1 });
    const { scene, waker } = act;
    const phones = [await ringing(scene, "a"), await ringing(scene, "b")] as const;
    waker.observer.found([target(phones[0])]);
    waker.observer.found([target(phones[1])]);
    await scene.advance(50);
    expect(phones.map(({ received }) => received.length)).toEqual([1, 0]);
    expect(scene.server.counters().targetsLeftOut).toBe(1);
  });

  it("ends what it watches when nobody is awaited from the first", async () => {
    const act = await call("INVITE", { onWatch: (observer) => observer.settled() });
    expect(finals(act.sent)).toEqual([480]);
    isQuiet(act);
  });

  it("lets who comes late ring as long as others, before those of a lower q are tried", async () => {
    const phones: Phone[] = [];
    const act = await call("INVITE", { fork: "serial", serialTimeout: 10_000 }, async (scene) => {
      for (const [name, q] of [["desk", 1] as const, ["attic", 0.5] as const]) {
        const phone = await ringing(scene, name);
        await phone.register({ user: "bob", q });
        phones.push(phone);
      }
    });
    const { scene, waker } = act;
    const [desk, attic] = phones as [Phone, Phone];
    for (const phone of [desk]) phone.deliver(phone.got("INVITE"), 180);
    await scene.advance(9000);
    const mobile = await ringing(scene, "mobile");
    waker.observer.found([target(mobile)]);
    await scene.advance(9000);
    expect([
      mobile.methods,
      mobile.got("INVITE").signal.aborted,
      attic.methods.includes("INVITE"),
    ]).toEqual([["INVITE"], false, false]);
    for (const phone of [desk, mobile]) {
      const invite = phone.got("INVITE");
      phone.deliver(invite, 180);
      invite.signal.addEventListener("abort", () => phone.deliver(invite, 487));
    }
    await scene.advance(1500);
    expect(attic.methods.includes("INVITE")).toBe(true);
  });

  it("takes a request that comes back while it is held for a loop, and a spiral for none", async () => {
    const act = await call("INVITE", { expected: 2 });
    const { scene, waker, sent } = act;
    // To ourselves: for another user, and for the same one again.
    const contact = (user: string): Target => ({
      uri: `sip:${user}@192.0.2.1:5060`,
      q: 1,
      route: [],
      expiresAt: Number.POSITIVE_INFINITY,
    });
    waker.observer.found([contact("bob")]);
    await scene.advance(50);
    expect(scene.server.counters().loops ?? 0).toBe(0);
    waker.watched[1]?.found([contact("bob")]);
    await scene.advance(50);
    expect(scene.server.counters().loops).toBe(1);
    for (const observer of waker.watched) observer.settled();
    await scene.advance(50);
    expect(finals(sent)).toEqual([482]);
  });

  it("isn't for a proxy that keeps nothing: 480, and nobody is woken", async () => {
    const { sent, waker } = await call("MESSAGE", { proxy: new StatelessProxy() });
    expect([finals(sent), waker.watched]).toEqual([[480], []]);
  });

  it("answers 440 at once to a request without breadth", async () => {
    const { sent, waker } = await call("INVITE", { headers: { "Max-Breadth": "0" } });
    expect(finals(sent)).toEqual([440]);
    expect(waker.watched).toEqual([]);
  });
});
