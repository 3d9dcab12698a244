import { type Request, route } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { Dialog, recordRoutesOf } from "./test-kit/dialog.ts";
import type { Phone, Sent } from "./test-kit/phone.ts";
import { Scene } from "./test-kit/scene.ts";

const finals = (sent: Sent): readonly number[] => sent.statuses.filter((status) => status >= 200);

/** alice calls bob, who is reached over TCP; evil listens. */
async function established(): Promise<{
  scene: Scene;
  alice: Phone;
  bob: Phone;
  evil: Phone;
  caller: Dialog;
  callee: Dialog;
}> {
  const scene = await Scene.start();
  const [alice, bob, evil] = [
    await scene.phone("alice"),
    await scene.phone("bob", "tcp"),
    await scene.phone("evil"),
  ];
  await bob.register();
  const call = alice.send("INVITE", "sip:bob@example.com");
  await scene.advance(20);
  const caller = Dialog.ofCaller(call.request, call.last);
  return { scene, alice, bob, evil, caller, callee: Dialog.ofCallee(bob.got("INVITE"), call.last) };
}

describe("Proxy is no open relay", () => {
  it("refuses a stranger's request to elsewhere", async () => {
    const scene = await Scene.start();
    const [alice, evil] = [await scene.phone("alice"), await scene.phone("evil")];
    const uri = "sip:evil@192.0.2.11:5060";
    const attempts: readonly Record<string, string | string[]>[] = [
      {},
      // A bare To tag is no dialog.
      { To: `<${uri}>;tag=made-up` },
      // A Route to us that we never signed is no permission.
      { Route: "<sip:192.0.2.1;lr>" },
      { Route: ["<sip:192.0.2.1:5060;lr>", "<sip:evil@192.0.2.11:5060;lr>"] },
      { Route: "<sip:evil@192.0.2.11:5060;lr>" },
      { Route: "<sip:bob@192.0.2.1:5060;lr>", To: `<${uri}>;tag=made-up` },
    ];
    for (const headers of attempts) {
      for (const method of ["INVITE", "MESSAGE", "BYE", "REGISTER", "SUBSCRIBE"]) {
        const sent = alice.send(method, uri, headers);
        await scene.advance(20);
        expect([method, headers, finals(sent)]).toEqual([method, headers, [403]]);
      }
    }
    expect(evil.methods).toEqual([]);
    expect(scene.server.counters()).toMatchObject({ refusedRelays: attempts.length * 5 });
    expect(Object.values(scene.server.stats()).every((count) => count === 0)).toBe(true);
  });

  it("refuses a token that it did not sign, or not for this dialog", async () => {
    const { scene, alice, evil, caller } = await established();
    const [own] = caller.routes.slice(-1) as [string];
    const other = alice.send("MESSAGE", "sip:evil@192.0.2.12:5060", { Route: [own] });
    const tampered = own.replace(/sip:(.)/, (_, first) => `sip:${first === "A" ? "B" : "A"}`);
    const changed = alice.sendAs(caller.forge("INFO", [tampered]), "sip:192.0.2.1:5060");
    const long = alice.send("MESSAGE", "sip:evil@192.0.2.12:5060", {
      Route: `<sip:${"x".repeat(60)}@192.0.2.1:5060;lr>`,
    });
    await scene.advance(20);
    for (const sent of [other, changed, long]) expect(finals(sent)).toEqual([403]);
    expect(evil.methods).toEqual([]);
  });

  it("sends a request with a signed Route over that flow, whatever else it says", async () => {
    const { scene, alice, bob, evil, caller } = await established();
    const sent = alice.sendAs(
      caller.forge(
        "INFO",
        [...caller.routes, "<sip:evil@192.0.2.12:5060;lr>"],
        "sip:evil@192.0.2.12:5060",
      ),
    );
    await scene.advance(20);
    expect(finals(sent)).toEqual([200]);
    expect(evil.methods).toEqual([]);
    expect(bob.methods).toEqual(["INVITE", "ACK", "INFO"]);
  });

  it("follows no Route of a stranger who calls a user of ours", async () => {
    const scene = await Scene.start();
    const [alice, bob, evil] = [
      await scene.phone("alice"),
      await scene.phone("bob"),
      await scene.phone("evil"),
    ];
    scene.locator.bindings.set("sip:bob@example.com", [
      { uri: bob.contact, q: 1, route: [], expiresAt: Number.POSITIVE_INFINITY },
    ]);
    const sent = alice.send("INVITE", "sip:bob@example.com", {
      Route: ["<sip:192.0.2.1:5060;lr>", "<sip:evil@192.0.2.12:5060;lr>"],
    });
    await scene.advance(20);
    expect(finals(sent)).toEqual([200]);
    expect(evil.methods).toEqual([]);
    expect(bob.got("INVITE").headers.has("route")).toBe(false);
  });

  it("drops an ACK of no dialog of ours, and one with a forged Route", async () => {
    const { scene, alice, evil, caller } = await established();
    const uri = "sip:evil@192.0.2.12:5060";
    alice.dispatcher.deliver(caller.forge("ACK", [], uri), { to: "sip:192.0.2.1:5060" });
    alice.dispatcher.deliver(caller.forge("ACK", ["<sip:192.0.2.1:5060;lr>"], uri));
    alice.dispatcher.deliver(
      caller.forge("ACK", [`<sip:${"x".repeat(60)}@192.0.2.1:5060;lr>`], uri),
    );
    const loose = caller.request("ACK", 1);
    loose.headers.set("Max-Forwards", "0");
    alice.dispatcher.deliver(loose);
    await scene.advance(20);
    expect(evil.methods).toEqual([]);
    expect(scene.server.counters()).toMatchObject({ droppedAcks: 3 });
    expect(scene.errors).toEqual([]);
  });
});

describe("Proxy, outward", () => {
  it("forwards for a proved identity: by the request-URI, or by the Routes that remain", async () => {
    const scene = await Scene.start();
    const [alice, far, hop] = [
      await scene.phone("alice"),
      await scene.phone("far"),
      await scene.phone("hop"),
    ];
    const direct = alice.send("INVITE", far.contact, { "X-User": "alice" });
    await scene.advance(20);
    expect(finals(direct)).toEqual([200]);
    expect(recordRoutesOf(far.got("INVITE"))).toHaveLength(2);

    const routed = alice.send("MESSAGE", far.contact, {
      "X-User": "alice",
      Route: ["<sip:192.0.2.1;lr>", "<sip:hop@192.0.2.12:5060;lr>"],
    });
    await scene.advance(20);
    expect(finals(routed)).toEqual([200]);
    expect(hop.got("MESSAGE").uri).toBe(far.contact);
    const wire = scene.network.log.findLast(({ to }) => to === "192.0.2.12:5060")?.wire ?? "";
    expect(wire.match(/^Route: .*$/gm)).toEqual(["Route: <sip:hop@192.0.2.12:5060;lr>"]);
    expect(recordRoutesOf(hop.got("MESSAGE"))).toEqual([]);
  });

  it("reformats a request for a strict router, RFC 3261 §16.6 step 6", async () => {
    const scene = await Scene.start();
    const [alice, strict] = [await scene.phone("alice"), await scene.phone("strict")];
    const sent = alice.send("MESSAGE", "sip:far@192.0.2.99", {
      "X-User": "alice",
      Route: ["<sip:192.0.2.1;lr>", "<sip:strict@192.0.2.11:5060>", "<sip:next@192.0.2.98;lr>"],
    });
    await scene.advance(20);
    expect(finals(sent)).toEqual([200]);
    const got: Request = strict.got("MESSAGE");
    expect(got.uri).toBe("sip:strict@192.0.2.11:5060");
    expect(got.headers.readAll(route).map(({ uri }) => uri)).toEqual([
      "sip:next@192.0.2.98;lr",
      "sip:far@192.0.2.99",
    ]);
  });

  it("sends a REGISTER of ours on, and stays off its path", async () => {
    const scene = await Scene.start();
    const [alice, far] = [await scene.phone("alice"), await scene.phone("far")];
    const sent = alice.send("REGISTER", "sip:192.0.2.11:5060", { "X-User": "alice" });
    await scene.advance(20);
    expect(finals(sent)).toEqual([200]);
    expect(recordRoutesOf(far.got("REGISTER"))).toEqual([]);
  });

  it("passes on what is for this server itself", async () => {
    const scene = await Scene.start();
    const alice = await scene.phone("alice");
    const options = alice.send("OPTIONS", "sip:192.0.2.1");
    const unknown = alice.send("INVITE", "sip:nobody@example.com", { "X-User": "alice" });
    await scene.advance(20);
    expect(finals(options)).toEqual([200]);
    expect(options.last.headers.getAll("allow")).toContain("INVITE");
    expect(finals(unknown)).toEqual([404]);
  });
});

describe("Proxy, request validation, RFC 3261 §16.3", () => {
  const cases: readonly (readonly [
    what: string,
    uri: string,
    headers: Record<string, string>,
    status: number,
  ])[] = [
    ["an unknown scheme", "news:comp.sip", { "X-User": "alice" }, 416],
    ["a telephone number that nobody mapped", "tel:+15551234", { "X-User": "alice" }, 416],
    ["no hops left", "sip:bob@example.com", { "Max-Forwards": "0" }, 483],
    ["a malformed Max-Forwards", "sip:bob@example.com", { "Max-Forwards": "many" }, 400],
    ["options that a proxy must know", "sip:bob@example.com", { "Proxy-Require": "foo, bar" }, 420],
  ];
  for (const [what, uri, headers, status] of cases) {
    it(`answers ${status} to ${what}`, async () => {
      const scene = await Scene.start();
      const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
      await bob.register();
      const sent = alice.send("INVITE", uri, headers);
      await scene.advance(20);
      expect(finals(sent)).toEqual([status]);
      if (status === 420) expect(sent.last.headers.getAll("unsupported")).toEqual(["foo", "bar"]);
      if (status === 483) expect(scene.server.counters()).toMatchObject({ tooManyHops: 1 });
      expect(bob.methods).toEqual([]);
      expect(scene.errors).toEqual([]);
    });
  }

  it("gives 70 hops to a request that says nothing of them", async () => {
    const scene = await Scene.start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    const request = alice.send("OPTIONS", "sip:bob@example.com").request.clone();
    await scene.advance(20);
    expect(bob.got("OPTIONS").headers.get("max-forwards")).toBe("69");
    request.headers.delete("max-forwards");
    request.headers.delete("via");
    alice.sendAs(request, "sip:192.0.2.1:5060");
    await scene.advance(20);
    expect(bob.got("OPTIONS").headers.get("max-forwards")).toBe("70");
  });
});

describe("Proxy, the path of a dialog, RFC 3261 §16.6 step 4", () => {
  it("answers 430 where the phone's connection is gone, and drops an ACK, RFC 5626 §5.3.1", async () => {
    const { scene, alice, bob, caller } = await established();
    bob.transport.cut();
    await scene.advance(20);
    const bye = alice.sendAs(caller.request("BYE"));
    alice.dispatcher.deliver(caller.request("ACK", 1));
    await scene.advance(20);
    expect(finals(bye)).toEqual([430]);
    expect(scene.server.counters()).toMatchObject({ droppedAcks: 1 });
    expect(bob.methods).toEqual(["INVITE", "ACK"]);
  });

  it("reaches the caller over the connection that its INVITE came by", async () => {
    const scene = await Scene.start();
    const [alice, bob] = [await scene.phone("alice", "tcp"), await scene.phone("bob")];
    await bob.register();
    // Its Contact leads nowhere: only the connection does.
    const call = alice.send("INVITE", "sip:bob@example.com", {
      Contact: "<sip:alice@10.0.0.1:5099>",
    });
    await scene.advance(20);
    const callee = Dialog.ofCallee(bob.got("INVITE"), call.last);
    const bye = bob.sendAs(callee.request("BYE"));
    await scene.advance(20);
    expect(finals(bye)).toEqual([200]);
    expect(alice.methods).toEqual(["BYE"]);
  });

  it("goes on NOTIFY too, which opens the subscriber's side, RFC 6665 §4.3", async () => {
    const scene = await Scene.start();
    const [alice, bob] = [await scene.phone("alice", "tcp"), await scene.phone("bob")];
    await bob.register();
    const subscription = alice.send("SUBSCRIBE", "sip:bob@example.com", { Event: "presence" });
    await scene.advance(20);
    const notifier = Dialog.ofCallee(bob.got("SUBSCRIBE"), subscription.last);
    const notification = notifier.request("NOTIFY");
    notification.headers.set("Contact", `<${bob.contact}>`);
    const notify = bob.sendAs(notification);
    await scene.advance(20);
    expect(finals(notify)).toEqual([200]);
    expect(recordRoutesOf(alice.got("NOTIFY"))).toHaveLength(2);
    // The subscriber's route set may come from the NOTIFY.
    const subscriber = Dialog.ofCallee(alice.got("NOTIFY"), notify.last);
    const refresh = alice.sendAs(subscriber.request("SUBSCRIBE"));
    await scene.advance(20);
    expect(finals(refresh)).toEqual([200]);
    expect(bob.methods).toEqual(["SUBSCRIBE", "SUBSCRIBE"]);
  });

  it("answers 416 to a request-URI that leads nowhere", async () => {
    const scene = await Scene.start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    scene.locator.bindings.set("sip:bob@example.com", [
      { uri: bob.contact, q: 1, route: [], expiresAt: Number.POSITIVE_INFINITY },
    ]);
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    const caller = Dialog.ofCaller(call.request, call.last);
    const right = alice.sendAs(caller.request("INFO"));
    const wrong = alice.sendAs(caller.forge("INFO", caller.routes, "tel:+15551234"));
    await scene.advance(20);
    expect(finals(right)).toEqual([200]);
    expect(finals(wrong)).toEqual([416]);
    expect(scene.errors).toEqual([]);
  });

  it("puts itself on no other request, and on none where it is told so", async () => {
    const { scene, alice, bob, caller } = await established();
    alice.sendAs(caller.request("INFO"));
    alice.sendAs(caller.request("UPDATE"));
    alice.send("MESSAGE", "sip:bob@example.com");
    await scene.advance(20);
    for (const method of ["INFO", "UPDATE", "MESSAGE"]) {
      expect(recordRoutesOf(bob.got(method))).toEqual([]);
    }
    const off = await Scene.start({ recordRoute: false });
    const [carol, dave] = [await off.phone("carol"), await off.phone("dave")];
    await dave.register();
    carol.send("INVITE", "sip:dave@example.com");
    await off.advance(20);
    expect(recordRoutesOf(dave.got("INVITE"))).toEqual([]);
  });
});
