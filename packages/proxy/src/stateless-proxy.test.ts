import { type Request, via } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { StatelessProxy, type StatelessProxyOptions } from "./stateless-proxy.ts";
import { Dialog, recordRoutesOf } from "./test-kit/dialog.ts";
import type { Phone } from "./test-kit/phone.ts";
import { Scene, type SceneOptions } from "./test-kit/scene.ts";

interface Stage {
  readonly scene: Scene;
  readonly proxy: StatelessProxy;
}

async function start(
  options: StatelessProxyOptions = {},
  around: SceneOptions = {},
): Promise<Stage> {
  const proxy = new StatelessProxy(options);
  return { proxy, scene: await Scene.start({ proxy, ...around }) };
}

/** What the proxy sent to a host, as methods and statuses. */
function sentTo(scene: Scene, to: string): readonly string[] {
  return scene.network.log
    .filter((message) => message.from.startsWith("192.0.2.1:") && message.to.startsWith(`${to}:`))
    .map(({ wire }) => {
      const [first = "", second = ""] = wire.split(" ", 2);
      return first === "SIP/2.0" ? second : first;
    });
}

function branchesOf(phone: Phone, scene: Scene, method: string): readonly string[] {
  const host = phone.contact.split("@")[1]?.split(":")[0];
  return scene.network.log
    .filter(({ to, wire }) => to.startsWith(`${host}:`) && wire.startsWith(`${method} `))
    .map(({ wire }) => /branch=(z9hG4bK[^;\r]+)/.exec(wire)?.[1] ?? "");
}

/** Answers an INVITE with 180 and 200. */
function pickUp(phone: Phone): void {
  phone.answer = (request) => {
    if (request.method === "INVITE") phone.deliver(request, 180);
    return phone.respond(request, 200);
  };
}

function expectNothingKept(scene: Scene): void {
  const alive = Object.entries(scene.server.stats()).filter(
    ([name, count]) => name !== "connections" && count !== 0,
  );
  expect(alive).toEqual([]);
}

describe("StatelessProxy, a call, RFC 3261 §16.11", () => {
  for (const [from, to] of [
    ["udp", "udp"],
    ["tcp", "udp"],
    ["udp", "tcp"],
    ["tcp", "tcp"],
  ] as const) {
    it(`goes through from ${from} to ${to} without a transaction, and either side may hang up`, async () => {
      const { scene, proxy } = await start();
      const [alice, bob] = [await scene.phone("alice", from), await scene.phone("bob", to)];
      await bob.register();
      pickUp(bob);
      const call = alice.send("INVITE", "sip:bob@example.com");
      await scene.advance(10);
      expect(scene.server.stats()).toMatchObject({ inviteServers: 0, inviteClients: 0 });
      await scene.advance(50);
      expect(call.statuses).toEqual([180, 200]);
      expect(bob.methods).toEqual(["INVITE", "ACK"]);
      const invite = bob.got("INVITE");
      expect(invite.uri).toBe(bob.contact);
      expect(invite.headers.get("max-forwards")).toBe("69");
      expect(recordRoutesOf(invite)).toHaveLength(2);
      expect(call.last.headers.getAll("via")).toHaveLength(1);

      const info = alice.sendAs(Dialog.ofCaller(call.request, call.last).request("INFO"));
      const bye = bob.sendAs(Dialog.ofCallee(invite, call.last).request("BYE"));
      await scene.advance(50);
      expect([info.statuses, bye.statuses]).toEqual([[200], [200]]);
      expect(bob.methods).toEqual(["INVITE", "ACK", "INFO"]);
      expect(alice.methods).toEqual(["BYE"]);
      expect(proxy.rememberedForwards).toBe(3);
      await scene.advance(40_000);
      expect(proxy.rememberedForwards).toBe(0);
      expect(scene.errors).toEqual([]);
      expectNothingKept(scene);
    });
  }

  it("sends no 100 of its own, and passes on that of others", async () => {
    const { scene } = await start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    bob.answer = () => "later";
    alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(190);
    expect(sentTo(scene, "192.0.2.10")).toEqual([]);
    await scene.advance(100);
    // The phone's own.
    expect(sentTo(scene, "192.0.2.10")).toEqual(["100"]);
    expect(scene.errors).toEqual([]);
  });

  it("takes its own Route off and follows the next one, its maddr and all", async () => {
    // Net::SIP's t/13.
    const { scene } = await start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    const next = "<sip:a%20b=c+d@198.51.100.99;lr;maddr=192.0.2.11>";
    const headers = { "X-User": "alice", Route: ["<sip:192.0.2.1:5060;lr>", next] };
    const sent = alice.send("MESSAGE", "sip:carol@example.net", headers);
    await scene.advance(50);
    expect(sent.statuses).toEqual([200]);
    const message = bob.got("MESSAGE");
    expect(message.uri).toBe("sip:carol@example.net");
    expect(message.headers.getAll("route")).toEqual([next]);
  });

  it("gives way to a strict router, RFC 3261 §16.6 step 6", async () => {
    const { scene } = await start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    const headers = { "X-User": "alice", Route: "<sip:192.0.2.11>" };
    const sent = alice.send("MESSAGE", "sip:carol@example.net", headers);
    await scene.advance(50);
    expect(sent.statuses).toEqual([200]);
    expect(bob.got("MESSAGE").uri).toBe("sip:192.0.2.11");
    expect(bob.got("MESSAGE").headers.getAll("route")).toEqual(["<sip:carol@example.net>"]);
  });

  it("stays out of the dialog when it is told to", async () => {
    const { scene } = await start({ recordRoute: false });
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(50);
    expect(recordRoutesOf(bob.got("INVITE"))).toEqual([]);
    expect(call.statuses).toEqual([200]);
  });
});

describe("StatelessProxy, what belongs together", () => {
  it("gives retransmissions the branch of the first, and other requests another", async () => {
    const { scene } = await start({}, { loss: ({ wire }) => wire.startsWith("SIP/2.0 100") });
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    bob.answer = () => "later";
    alice.send("INVITE", "sip:bob@example.com");
    alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(1800);
    const branches = branchesOf(bob, scene, "INVITE");
    expect(branches).toHaveLength(6);
    expect(new Set(branches).size).toBe(2);
    expect(bob.methods).toEqual(["INVITE", "INVITE"]);
  });

  it("sends retransmissions, CANCEL and ACK where the INVITE went, though the user has moved", async () => {
    const { scene } = await start({}, { loss: ({ wire }) => wire.startsWith("SIP/2.0 100") });
    const alice = await scene.phone("alice");
    const [desk, mobile] = [await scene.phone("desk"), await scene.phone("mobile")];
    await desk.register({ user: "bob" });
    desk.answer = () => "later";
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    scene.locator.bindings.clear();
    await mobile.register({ user: "bob" });
    await scene.advance(600);
    const invite = desk.got("INVITE");
    expect(branchesOf(desk, scene, "INVITE")).toHaveLength(2);
    desk.deliver(invite, 180);
    await scene.advance(20);
    call.transaction?.cancel();
    await scene.advance(20);
    expect(invite.signal.aborted).toBe(true);
    desk.deliver(invite, 487);
    await scene.advance(20);
    expect(call.statuses).toEqual([180, 487]);
    const kinds = ["INVITE", "CANCEL", "ACK"].map((method) => branchesOf(desk, scene, method));
    expect(new Set(kinds.flat()).size).toBe(1);
    expect(kinds.map((branches) => branches.length)).toEqual([2, 1, 1]);
    expect(mobile.methods).toEqual([]);
    await scene.advance(64_000);
    expect(desk.dispatcher.counters()).not.toHaveProperty("unacknowledgedFinalResponses");
    expect(scene.errors).toEqual([]);
    expectNothingKept(scene);
  });

  it("sends them to the same address of a name that has several", async () => {
    let turn = 0;
    const resolve = () => {
      turn += 1;
      return [{ protocol: "udp" as const, address: `192.0.2.${11 + (turn % 2)}`, port: 5060 }];
    };
    const loss = ({ wire }: { readonly wire: string }): boolean => wire.startsWith("SIP/2.0 100");
    const { scene } = await start({}, { resolver: { resolve }, loss });
    const alice = await scene.phone("alice");
    const gateways = [await scene.phone("one"), await scene.phone("two")];
    for (const gateway of gateways) gateway.answer = () => "later";
    alice.send("INVITE", "sip:carol@example.net", { "X-User": "alice" });
    await scene.advance(4000);
    const copies = gateways.map((gateway) => branchesOf(gateway, scene, "INVITE").length);
    expect(copies.toSorted()).toEqual([0, 4]);
    expect(turn).toBe(1);
  });

  it("remembers an INVITE that rings longer than a transaction may be quiet", async () => {
    const { scene, proxy } = await start();
    const alice = await scene.phone("alice");
    const [desk, mobile] = [await scene.phone("desk"), await scene.phone("mobile")];
    await desk.register({ user: "bob" });
    desk.answer = () => "later";
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    desk.deliver(desk.got("INVITE"), 180);
    scene.locator.bindings.clear();
    await mobile.register({ user: "bob" });
    await scene.advance(60_000);
    expect(proxy.rememberedForwards).toBe(1);
    call.transaction?.cancel();
    await scene.advance(20);
    expect(desk.got("INVITE").signal.aborted).toBe(true);
    desk.deliver(desk.got("INVITE"), 487);
    await scene.advance(20);
    expect(call.statuses.at(-1)).toBe(487);
    await scene.advance(33_000);
    expect(proxy.rememberedForwards).toBe(0);
  });

  it("answers 481 to a CANCEL of what it has never seen, RFC 3261 §9.2", async () => {
    const { scene } = await start();
    const alice = await scene.phone("alice");
    const sent = alice.send("CANCEL", "sip:bob@example.com");
    const far = alice.send("CANCEL", "sip:bob@example.net");
    await scene.advance(50);
    expect([sent.statuses, far.statuses]).toEqual([[481], [481]]);
    expectNothingKept(scene);
  });

  it("brings the ACK to a failure to who failed, and keeps nothing", async () => {
    // Net::SIP's t/22: a 404 through a stateless proxy.
    const { scene, proxy } = await start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    bob.answer = (request) => bob.respond(request, 404);
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(50);
    expect(call.statuses).toEqual([404]);
    // Its transaction has taken it, so that it sends the 404 no more.
    expect(sentTo(scene, "192.0.2.11").filter((what) => what === "ACK")).toHaveLength(1);
    await scene.advance(5000);
    expect(sentTo(scene, "192.0.2.10")).toEqual(["404"]);
    await scene.advance(64_000);
    expect(proxy.rememberedForwards).toBe(0);
    expectNothingKept(scene);
  });

  it("lets nobody use what another request has left", async () => {
    const { scene } = await start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    bob.answer = () => "later";
    alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    const invite = scene.network.log.find(({ wire }) => wire.startsWith("INVITE"))?.wire ?? "";
    // As the INVITE but for its method: what is known of an INVITE goes for its ACK and CANCEL alone.
    const forged = invite.replace(/^INVITE/, "BYE").replace("CSeq: 1 INVITE", "CSeq: 1 BYE");
    alice.transport.send(forged.replace("sip:bob@example.com", "sip:x@198.51.100.7"), {
      protocol: "udp",
      address: "192.0.2.1",
      port: 5060,
    });
    await scene.advance(20);
    expect(bob.methods).toEqual(["INVITE"]);
    expect(sentTo(scene, "192.0.2.10").at(-1)).toBe("403");
  });

  it("remembers so many requests and no more, the oldest is forgotten", async () => {
    const { scene, proxy } = await start({ maxRecords: 5 });
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    for (let count = 0; count < 12; count += 1) alice.send("MESSAGE", "sip:bob@example.com");
    await scene.advance(50);
    expect(bob.methods).toHaveLength(12);
    expect(proxy.rememberedForwards).toBe(5);
    expect(scene.server.counters()).toMatchObject({ forgottenForwards: 7 });
    await scene.server.close();
    expect(proxy.rememberedForwards).toBe(0);
  });

  it("chooses anew what it has forgotten, and says so by another branch when it goes elsewhere", async () => {
    const { scene } = await start(
      { maxRecords: 1 },
      { loss: ({ wire }) => wire.startsWith("SIP/2.0 100") },
    );
    const alice = await scene.phone("alice");
    const [desk, mobile] = [await scene.phone("desk"), await scene.phone("mobile")];
    await desk.register({ user: "bob" });
    desk.answer = () => "later";
    mobile.answer = () => "later";
    alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    scene.locator.bindings.clear();
    await mobile.register({ user: "bob" });
    alice.send("OPTIONS", "sip:bob@example.com");
    await scene.advance(600);
    expect(mobile.methods).toContain("INVITE");
    const [first] = branchesOf(desk, scene, "INVITE");
    expect(branchesOf(mobile, scene, "INVITE")).not.toContain(first);
  });
});

describe("StatelessProxy, what it refuses", () => {
  it("answers 483, 420 and 440, and keeps nothing", async () => {
    const { scene } = await start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    const before = scene.server.stats();
    const sent = [
      alice.send("INVITE", "sip:bob@example.com", { "Max-Forwards": "0" }),
      alice.send("MESSAGE", "sip:bob@example.com", { "Proxy-Require": "privacy" }),
      alice.send("INVITE", "sip:bob@example.com", { "Max-Breadth": "0" }),
    ];
    await scene.advance(50);
    expect(sent.map(({ statuses }) => statuses)).toEqual([[483], [420], [440]]);
    expect(sent[1]?.last.headers.get("unsupported")).toBe("privacy");
    expect(bob.methods).toEqual([]);
    expect(scene.server.stats()).toEqual(before);
    expect(scene.server.counters()).toMatchObject({ tooManyHops: 1, breadthExhausted: 1 });
  });

  it("answers 482 to a loop and lets a spiral pass, RFC 5393 §4.2", async () => {
    const { scene } = await start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await alice.register({ user: "carol", contact: "sip:dave@192.0.2.1" });
    await alice.register({ user: "dave", contact: "sip:carol@192.0.2.1" });
    await bob.register();
    await bob.register({ user: "sales", contact: "sip:bob@192.0.2.1" });
    const loop = alice.send("INVITE", "sip:carol@example.com");
    const spiral = alice.send("INVITE", "sip:sales@example.com");
    await scene.advance(500);
    expect(loop.statuses).toEqual([482]);
    expect(spiral.statuses).toEqual([200]);
    expect(scene.server.counters()).toMatchObject({ loops: 1 });
    expect(scene.errors).toEqual([]);
  });

  it("is no open relay", async () => {
    const { scene } = await start();
    const [alice, carol] = [await scene.phone("alice"), await scene.phone("carol")];
    const stranger = alice.send("INVITE", "sip:carol@192.0.2.11");
    const known = alice.send("INVITE", "sip:carol@192.0.2.11", { "X-User": "alice" });
    await scene.advance(50);
    expect([stranger.statuses, known.statuses]).toEqual([[403], [200]]);
    expect(carol.methods).toEqual(["INVITE", "ACK"]);
    expect(scene.server.counters()).toMatchObject({ refusedRelays: 1 });
  });

  it("answers 480 where nobody is reached, and 404 where nobody is", async () => {
    const { scene } = await start();
    const [alice, bob] = [await scene.phone("alice", "tcp"), await scene.phone("bob", "tcp")];
    await bob.register();
    bob.transport.cut();
    scene.locator.bindings.set("sip:empty@example.com", []);
    const sent = ["bob", "empty", "nobody"].map((user) =>
      alice.send("INVITE", `sip:${user}@example.com`),
    );
    await scene.advance(50);
    expect(sent.map(({ statuses }) => statuses)).toEqual([[480], [480], [404]]);
    expectNothingKept(scene);
  });

  it("answers 430 within a dialog whose connection is gone, and drops its ACK", async () => {
    const { scene } = await start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob", "tcp")];
    await bob.register();
    alice.acknowledges = false;
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(50);
    bob.transport.cut();
    alice.dispatcher.deliver(Dialog.ofCaller(call.request, call.last).request("ACK", 1));
    const bye = alice.sendAs(Dialog.ofCaller(call.request, call.last).request("BYE"));
    await scene.advance(50);
    expect(bye.statuses).toEqual([430]);
    expect(scene.server.counters()).toMatchObject({ droppedAcks: 1 });
  });

  it("goes the other way to a device when the first is gone, RFC 5626 §5.3.1", async () => {
    const { scene } = await start();
    const alice = await scene.phone("alice");
    const [desk, spare] = [await scene.phone("desk", "tcp"), await scene.phone("spare")];
    const instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    await desk.register({ user: "bob", instance, q: 1 });
    await spare.register({ user: "bob", instance, q: 0.5 });
    desk.transport.cut();
    const call = alice.send("MESSAGE", "sip:bob@example.com");
    await scene.advance(50);
    expect(call.statuses).toEqual([200]);
    expect(spare.methods).toEqual(["MESSAGE"]);
  });

  it("answers 500 where a name leads nowhere, at once or later", async () => {
    for (const resolve of [
      () => {
        throw new Error("no such name");
      },
      () => new Promise<never>((_resolve, reject) => setImmediate(reject, new Error("timed out"))),
    ]) {
      const { scene, proxy } = await start({}, { resolver: { resolve } });
      for (const protocol of ["udp", "tcp"] as const) {
        const alice = await scene.phone("alice", protocol);
        const headers = { "X-User": "alice" };
        const sent = alice.send("INVITE", "sip:carol@example.net", headers);
        await scene.advance(50);
        expect(sent.statuses).toEqual([500]);
        expect(sent.last.to.tag).toBeDefined();
      }
      await scene.advance(64_000);
      expect(proxy.rememberedForwards).toBe(0);
      expect(scene.server.counters()).toMatchObject({
        undeliverableRequests: 2,
        acksToStatelessAnswers: 2,
      });
      expectNothingKept(scene);
    }
  });

  it("refuses options that are none", () => {
    for (const options of [{ maxRecords: 0 }, { maxRecords: 1.5 }, { secret: "" }]) {
      expect(() => new StatelessProxy(options)).toThrow(
        expect.objectContaining({ code: "SIP_BAD_OPTION" }),
      );
    }
  });
});

describe("StatelessProxy, responses", () => {
  /** A request of alice's as bob got it. */
  async function ring(stage: Stage, protocol: "udp" | "tcp" = "udp") {
    const { scene } = stage;
    const [alice, bob] = [await scene.phone("alice", protocol), await scene.phone("bob")];
    await bob.register();
    bob.answer = () => "later";
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(20);
    return { alice, bob, call, invite: bob.got("INVITE") };
  }

  it("go over the connection that the request came by", async () => {
    const stage = await start();
    const { alice, bob, call, invite } = await ring(stage, "tcp");
    bob.deliver(invite, 180);
    await stage.scene.advance(20);
    expect(call.statuses).toEqual([180]);
    // Not to the port of her Via: the number of the connection has told.
    const answers = stage.scene.network.log.filter(
      ({ protocol, from }) => protocol === "tcp" && from.startsWith("192.0.2.1:"),
    );
    expect(answers.map(({ wire }) => wire.split(" ")[1])).toEqual(["180"]);
    expect(answers[0]?.to).not.toBe("192.0.2.10:5060");
    alice.transport.cut();
    bob.deliver(invite, 486);
    await stage.scene.advance(20);
    expect(bob.methods).toEqual(["INVITE"]);
  });

  const forgeries: readonly (readonly [string, (branch: string, invite: Request) => string])[] = [
    ["a branch that we did not make", () => "z9hG4bKmadeup.0000000"],
    ["one letter of ours changed", (branch) => branch.replace(/.(?=.{20}\.)/, "~")],
    ["another connection", (branch) => branch.replace(/(?=\.[^.]*$)/, "-1")],
    ["no branch of the new kind", () => "1"],
  ];
  for (const [what, forge] of forgeries) {
    it(`are dropped and counted: ${what}`, async () => {
      const stage = await start();
      const { bob, call, invite } = await ring(stage);
      const response = bob.respond(invite, 200);
      const [top, ...rest] = response.headers.readAll(via);
      if (top === undefined) throw new Error("no Via");
      const branch = forge(top.branch ?? "", invite);
      const forged = { ...top, params: top.params.with("branch", branch) };
      response.headers.write(via, [forged, ...rest]);
      bob.dispatcher.deliver(response);
      await stage.scene.advance(20);
      expect(call.statuses).toEqual([]);
      expect(stage.scene.server.counters()).toMatchObject({ strayResponses: 1 });
      expect(stage.scene.errors).toEqual([]);
    });
  }

  it("are dropped when they are put on another request's way back", async () => {
    const stage = await start();
    const { bob, call, invite } = await ring(stage);
    const response = bob.respond(invite, 200);
    response.headers.set("Call-ID", "another");
    bob.dispatcher.deliver(response);
    await stage.scene.advance(20);
    expect(call.statuses).toEqual([]);
    expect(stage.scene.server.counters()).toMatchObject({ strayResponses: 1 });
  });

  it("are dropped when the Via below ours is unreadable, or missing", async () => {
    const stage = await start();
    const { bob, call, invite } = await ring(stage);
    for (const tail of [[], ["SIP/2.0/UDP"], ["SIP/2.0/UDP ;branch"]]) {
      const response = bob.respond(invite, 200);
      response.headers.set("Via", [response.headers.getAll("via")[0] ?? "", ...tail]);
      bob.dispatcher.deliver(response);
      await stage.scene.advance(20);
    }
    expect(call.statuses).toEqual([]);
    expect(stage.scene.server.counters()).toMatchObject({ strayResponses: 3 });
    expect(stage.scene.errors).toEqual([]);
  });

  it("find back after a restart, where the secret is the same", async () => {
    const secret = "the same";
    const proxies = [new StatelessProxy({ secret }), new StatelessProxy({ secret })];
    const scene = await Scene.start({ proxy: proxies[0] as StatelessProxy });
    const { bob, call, invite } = await ring({ scene, proxy: proxies[0] as StatelessProxy });
    await scene.server.close();
    const next = scene.dispatcher("192.0.2.1", "example.com", [proxies[1] as StatelessProxy]);
    await next.listen();
    bob.deliver(invite, 180);
    await scene.advance(20);
    expect(call.statuses).toEqual([180]);
    await next.close();
  });
});
