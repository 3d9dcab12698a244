import type { Request, Response } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import type { Phone, Sent } from "./test-kit/phone.ts";
import { Scene } from "./test-kit/scene.ts";

/** bob's devices, registered, each leaving its INVITE waiting. */
async function devices(
  scene: Scene,
  count: number,
  options: (index: number) => { q?: number; instance?: string } = () => ({}),
): Promise<Phone[]> {
  const phones: Phone[] = [];
  for (let index = 0; index < count; index += 1) {
    const phone = await scene.phone(`desk${index}`, index % 2 === 0 ? "udp" : "tcp");
    phone.answer = (request) =>
      request.method === "INVITE" ? "later" : phone.respond(request, 200);
    await phone.register({ user: "bob", ...options(index) });
    phones.push(phone);
  }
  return phones;
}

/** Rings, and answers 487 when it is cancelled. */
function ring(phone: Phone): Request {
  const invite = phone.got("INVITE");
  invite.signal.addEventListener("abort", () => phone.deliver(invite, 487));
  phone.deliver(invite, 180);
  return invite;
}

async function call(scene: Scene, headers: Record<string, string> = {}): Promise<Sent> {
  const alice = await scene.phone("alice");
  const sent = alice.send("INVITE", "sip:bob@example.com", headers);
  await scene.advance(20);
  return sent;
}

const finals = (sent: Sent): readonly number[] => sent.statuses.filter((status) => status >= 200);

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, at) =>
    permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]),
  );
}

describe("Proxy, forking, RFC 3261 §16.6, §16.7", () => {
  it("rings all devices, and cancels the others when one answers", async () => {
    const scene = await Scene.start();
    const [desk, mobile, tablet] = (await devices(scene, 3)) as [Phone, Phone, Phone];
    const sent = await call(scene);
    for (const phone of [desk, mobile, tablet]) ring(phone);
    await scene.advance(20);
    expect(sent.statuses).toEqual([180, 180, 180]);
    mobile.deliver(mobile.got("INVITE"), 200);
    await scene.advance(50);
    expect(finals(sent)).toEqual([200]);
    expect(sent.last.headers.get("contact")).toContain(mobile.contact);
    expect(mobile.got("INVITE").signal.aborted).toBe(false);
    expect(desk.got("INVITE").signal.aborted).toBe(true);
    expect(tablet.got("INVITE").signal.aborted).toBe(true);
    await scene.advance(40_000);
    expect(finals(sent)).toEqual([200]);
    expect(scene.errors).toEqual([]);
  });

  it("forwards every 2xx of a race", async () => {
    const scene = await Scene.start();
    const [desk, mobile] = (await devices(scene, 2)) as [Phone, Phone];
    const sent = await call(scene);
    for (const phone of [desk, mobile]) {
      phone.deliver(phone.got("INVITE"), 180);
      phone.deliver(phone.got("INVITE"), 200);
    }
    await scene.advance(20);
    expect(finals(sent)).toEqual([200, 200]);
    const tags = sent.responses.map((response: Response) => response.to.tag);
    expect(new Set(tags.slice(-2)).size).toBe(2);
  });

  const cases: readonly (readonly [statuses: readonly number[], best: number])[] = [
    [[486, 404, 200, 603], 200],
    [[486, 603, 302], 603],
    [[486, 302, 503], 302],
    [[404, 407, 500], 407],
    [[486, 415, 482], 415],
    [[486, 408, 487], 486],
    [[503, 500], 500],
    [[503, 503], 500],
    [[408, 503], 408],
    [[430, 430], 480],
    [[486, 430], 486],
  ];
  for (const [statuses, best] of cases) {
    it(`answers ${best} where the devices say ${statuses.join(", ")}, in any order`, async () => {
      for (const order of permutations(statuses.map((_, index) => index))) {
        const scene = await Scene.start();
        const phones = await devices(scene, statuses.length);
        const sent = await call(scene);
        for (const index of order) {
          const phone = phones[index] as Phone;
          const invite = phone.got("INVITE");
          // Already cancelled phones answer that.
          phone.deliver(invite, invite.signal.aborted ? 487 : (statuses[index] as number));
          await scene.advance(5);
        }
        await scene.advance(40_000);
        expect(finals(sent)).toEqual([best]);
        expect(scene.errors).toEqual([]);
        expect(scene.server.stats()).toMatchObject({ waitingRequests: 0 });
        await scene.server.close();
      }
    });
  }

  it("sends no final response before the last device has answered", async () => {
    const scene = await Scene.start();
    const [desk, mobile] = (await devices(scene, 2)) as [Phone, Phone];
    const sent = await call(scene);
    ring(desk);
    mobile.deliver(mobile.got("INVITE"), 486);
    await scene.advance(1000);
    expect(finals(sent)).toEqual([]);
    desk.deliver(desk.got("INVITE"), 480);
    await scene.advance(20);
    expect(finals(sent)).toEqual([486]);
  });

  it("cancels the others on a 6xx, and lets a 2xx that races with that win", async () => {
    const scene = await Scene.start();
    const [desk, mobile] = (await devices(scene, 2)) as [Phone, Phone];
    const sent = await call(scene);
    const ringing = mobile.got("INVITE");
    mobile.deliver(ringing, 180);
    await scene.advance(5);
    desk.deliver(desk.got("INVITE"), 603);
    mobile.deliver(ringing, 200);
    await scene.advance(50);
    expect(finals(sent)).toEqual([200]);
    expect(scene.errors).toEqual([]);
  });

  it("waits with a 6xx until the others have ended", async () => {
    const scene = await Scene.start();
    const [desk, mobile] = (await devices(scene, 2)) as [Phone, Phone];
    const sent = await call(scene);
    const { signal } = mobile.got("INVITE");
    mobile.deliver(mobile.got("INVITE"), 180);
    await scene.advance(5);
    desk.deliver(desk.got("INVITE"), 603);
    await scene.advance(100);
    expect(signal.aborted).toBe(true);
    expect(finals(sent)).toEqual([]);
    mobile.deliver(mobile.got("INVITE"), 487);
    await scene.advance(20);
    expect(finals(sent)).toEqual([603]);
  });

  it("merges the challenges of all branches", async () => {
    const scene = await Scene.start();
    const [desk, mobile, tablet] = (await devices(scene, 3)) as [Phone, Phone, Phone];
    const sent = await call(scene);
    desk.deliver(desk.got("INVITE"), 401, { "WWW-Authenticate": 'Digest realm="a", nonce="1"' });
    await scene.advance(5);
    mobile.deliver(mobile.got("INVITE"), 407, {
      "Proxy-Authenticate": 'Digest realm="b", nonce="2"',
    });
    tablet.deliver(tablet.got("INVITE"), 401, {
      "WWW-Authenticate": 'Digest realm="c", nonce="3"',
    });
    await scene.advance(20);
    expect(finals(sent)).toEqual([401]);
    expect(sent.last.headers.getAll("www-authenticate")).toEqual([
      'Digest realm="a", nonce="1"',
      'Digest realm="c", nonce="3"',
    ]);
    expect(sent.last.headers.getAll("proxy-authenticate")).toEqual(['Digest realm="b", nonce="2"']);
  });

  it("forwards no 100", async () => {
    const scene = await Scene.start();
    const [desk] = (await devices(scene, 1)) as [Phone];
    const sent = await call(scene);
    desk.deliver(desk.got("INVITE"), 100, { "X-From": "desk" });
    desk.deliver(desk.got("INVITE"), 183);
    await scene.advance(20);
    expect(sent.statuses).toEqual([183]);
  });

  it("gives a non-INVITE one answer, and no provisional one", async () => {
    const scene = await Scene.start();
    const phones = await devices(scene, 2);
    for (const phone of phones) {
      phone.answer = (request) => {
        // Written by hand: a dispatcher sends no such thing.
        const progress = phone.respond(request, 183).toWire();
        const { from } = request.arrival ?? {};
        if (from !== undefined) phone.transport.send(progress, from);
        return phone.respond(request, 200);
      };
    }
    const alice = await scene.phone("alice");
    const sent = alice.send("MESSAGE", "sip:bob@example.com");
    await scene.advance(1000);
    expect(phones.map(({ methods }) => methods)).toEqual([["MESSAGE"], ["MESSAGE"]]);
    expect(sent.statuses).toEqual([200]);
    expect(scene.errors).toEqual([]);
  });
});

describe("Proxy, one group after the other, RFC 3261 §16.6", () => {
  const byIndex = (index: number) => ({ q: [0.5, 1, 0.5, 0.1][index] as number });

  it("tries targets by descending q, equal ones together", async () => {
    const scene = await Scene.start({ fork: "serial" });
    const [second, first, alsoSecond, third] = (await devices(scene, 4, byIndex)) as Phone[];
    const sent = await call(scene);
    const rang = (): boolean[] =>
      [first, second, alsoSecond, third].map((phone) => phone?.methods.includes("INVITE") ?? false);
    expect(rang()).toEqual([true, false, false, false]);
    first?.deliver(first.got("INVITE"), 486);
    await scene.advance(20);
    expect(rang()).toEqual([true, true, true, false]);
    second?.deliver(second.got("INVITE"), 480);
    await scene.advance(20);
    expect(rang()).toEqual([true, true, true, false]);
    alsoSecond?.deliver(alsoSecond.got("INVITE"), 404);
    await scene.advance(20);
    expect(rang()).toEqual([true, true, true, true]);
    expect(finals(sent)).toEqual([]);
    third?.deliver(third.got("INVITE"), 200);
    await scene.advance(20);
    expect(finals(sent)).toEqual([200]);
  });

  it("cancels a group that takes too long, and says nothing of the 487 that this draws", async () => {
    const scene = await Scene.start({ fork: "serial", serialTimeout: 10_000 });
    const [first, second] = (await devices(scene, 2, (index) => ({ q: 1 - index / 2 }))) as [
      Phone,
      Phone,
    ];
    const sent = await call(scene);
    ring(first);
    await scene.advance(9_900);
    expect(second.methods).not.toContain("INVITE");
    await scene.advance(200);
    expect(first.got("INVITE").signal.aborted).toBe(true);
    second.deliver(second.got("INVITE"), 486);
    await scene.advance(20);
    expect(finals(sent)).toEqual([486]);
  });

  it("goes on with the last group for as long as it rings", async () => {
    const scene = await Scene.start({ fork: "serial", serialTimeout: 10_000 });
    const [first, second] = (await devices(scene, 2, (index) => ({ q: 1 - index / 2 }))) as [
      Phone,
      Phone,
    ];
    const sent = await call(scene);
    ring(first);
    await scene.advance(10_100);
    ring(second);
    await scene.advance(60_000);
    expect(second.got("INVITE").signal.aborted).toBe(false);
    second.deliver(second.got("INVITE"), 200);
    await scene.advance(20);
    expect(finals(sent)).toEqual([200]);
  });

  it("hunts longer than one branch may ring, when nobody says more than 100", async () => {
    const scene = await Scene.start({ fork: "serial" });
    const phones = await devices(scene, 8, (index) => ({ q: (9 - index) / 10 }));
    const sent = await call(scene);
    for (const phone of phones.slice(0, -1)) {
      const invite = phone.got("INVITE");
      invite.signal.addEventListener("abort", () => phone.deliver(invite, 487));
      phone.deliver(invite, 100);
      await scene.advance(30_100);
    }
    const last = phones.at(-1) as Phone;
    last.deliver(last.got("INVITE"), 200);
    await scene.advance(20);
    expect(finals(sent)).toEqual([200]);
    expect(scene.errors).toEqual([]);
  });

  it("stops at a 6xx", async () => {
    const scene = await Scene.start({ fork: "serial" });
    const [first, second] = (await devices(scene, 2, (index) => ({ q: 1 - index / 2 }))) as [
      Phone,
      Phone,
    ];
    const sent = await call(scene);
    first.deliver(first.got("INVITE"), 600);
    await scene.advance(20);
    expect(finals(sent)).toEqual([600]);
    expect(second.methods).not.toContain("INVITE");
  });
});

describe("Proxy, the target set, RFC 3261 §16.5", () => {
  it("makes one branch for one instance, the better one", async () => {
    const scene = await Scene.start();
    const phones = await devices(scene, 3, (index) => ({
      q: [0.5, 0.9, 1][index] as number,
      instance: index === 2 ? "urn:uuid:other" : "urn:uuid:same",
    }));
    await call(scene);
    expect(phones.map(({ methods }) => methods)).toEqual([[], ["INVITE"], ["INVITE"]]);
  });

  it("goes another way to the same instance when the first is broken, RFC 5626 §7", async () => {
    const scene = await Scene.start();
    const [udp, tcp] = (await devices(scene, 2, (index) => ({
      q: [0.5, 0.9][index] as number,
      instance: "urn:uuid:same",
    }))) as [Phone, Phone];
    tcp.transport.cut();
    const sent = await call(scene);
    expect(tcp.methods).toEqual([]);
    udp.deliver(udp.got("INVITE"), 200);
    await scene.advance(20);
    expect(finals(sent)).toEqual([200]);
  });

  it("tells who found the target that its flow is gone, and goes another way, RFC 5626 §7", async () => {
    const scene = await Scene.start();
    const [one, two] = (await devices(scene, 2, (index) => ({
      q: [0.9, 0.5][index] as number,
      instance: "urn:uuid:same",
    }))) as [Phone, Phone];
    const sent = await call(scene);
    expect(scene.locator.gone).toEqual([]);
    one.deliver(one.got("INVITE"), 430);
    await scene.advance(20);
    expect(scene.locator.gone.map(({ q }) => q)).toEqual([0.9]);
    two.deliver(two.got("INVITE"), 200);
    await scene.advance(20);
    expect(finals(sent)).toEqual([200]);
    expect(scene.locator.gone).toHaveLength(1);
  });

  it("goes no other way once the instance has answered", async () => {
    const scene = await Scene.start();
    const [one, two] = (await devices(scene, 2, (index) => ({
      q: [0.9, 0.5][index] as number,
      instance: "urn:uuid:same",
    }))) as [Phone, Phone];
    const sent = await call(scene);
    one.deliver(one.got("INVITE"), 503);
    await scene.advance(20);
    expect(finals(sent)).toEqual([500]);
    expect(two.methods).toEqual([]);
  });

  it("answers 480 where no target is left, and says so of a connection that is gone", async () => {
    const scene = await Scene.start();
    const bob = await scene.phone("bob", "tcp");
    await bob.register();
    await bob.register({ user: "carol", contact: "mailto:carol@example.com" });
    scene.locator.bindings.set("sip:dave@example.com", []);
    bob.transport.cut();
    const alice = await scene.phone("alice");
    for (const user of ["bob", "carol", "dave"]) {
      const sent = alice.send("INVITE", `sip:${user}@example.com`);
      await scene.advance(20);
      expect([user, finals(sent)]).toEqual([user, [480]]);
    }
    expect(scene.errors).toEqual([]);
  });

  it("skips what is no SIP URI, and strips what a request-URI can't have", async () => {
    const scene = await Scene.start();
    const bob = await scene.phone("bob");
    await bob.register({ contact: "tel:+15551234" });
    await bob.register({ contact: `${bob.contact};method=INVITE?Subject=hello` });
    const sent = await call(scene);
    expect(bob.got("INVITE").uri).toBe(bob.contact);
    expect(finals(sent)).toEqual([200]);
  });

  it("forwards to no more than maxTargets", async () => {
    const scene = await Scene.start({ maxTargets: 2 });
    const phones = await devices(scene, 4, (index) => ({
      q: [0.1, 0.9, 0.2, 0.8][index] as number,
    }));
    await call(scene);
    expect(phones.map(({ methods }) => methods.length)).toEqual([0, 1, 0, 1]);
    expect(scene.server.counters()).toMatchObject({ targetsLeftOut: 1 });
  });
});

describe("Proxy, Max-Breadth, RFC 5393 §5", () => {
  it("gives a request one, and divides it among the branches of a fork", async () => {
    const scene = await Scene.start();
    const phones = await devices(scene, 3);
    await call(scene);
    expect(phones.map((phone) => phone.got("INVITE").headers.get("max-breadth"))).toEqual([
      "20",
      "20",
      "20",
    ]);
  });

  it("divides what the request came with, and no more than its own bound", async () => {
    const scene = await Scene.start({ maxBreadth: 10 });
    const phones = await devices(scene, 3);
    const breadths = (): number[] =>
      phones.map((phone) => Number(phone.got("INVITE").headers.get("max-breadth")));
    await call(scene, { "Max-Breadth": "5" });
    expect(breadths()).toEqual([2, 2, 1]);
    await call(scene, { "Max-Breadth": "5000" });
    expect(breadths()).toEqual([4, 3, 3]);
  });

  it("answers 440 where it doesn't suffice, and 400 to a malformed one", async () => {
    const scene = await Scene.start();
    const phones = await devices(scene, 3);
    for (const [breadth, status] of [
      ["2", 440],
      ["0", 440],
      ["many", 400],
      ["٣", 400],
    ] as const) {
      const sent = await call(scene, { "Max-Breadth": breadth });
      expect([breadth, finals(sent)]).toEqual([breadth, [status]]);
    }
    expect(phones.map(({ methods }) => methods)).toEqual([[], [], []]);
    expect(scene.server.counters()).toMatchObject({ breadthExhausted: 2 });
  });

  it("lets a breadth of 1 suffice for one after the other", async () => {
    const scene = await Scene.start({ fork: "serial" });
    const phones = await devices(scene, 2, (index) => ({ q: 1 - index / 2 }));
    await call(scene, { "Max-Breadth": "1" });
    expect(phones.map(({ methods }) => methods.length)).toEqual([1, 0]);
  });
});
