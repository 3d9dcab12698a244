import type { Dispatcher } from "@sipkit/core";
import { TestServer, type VirtualNode } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import type { LocationStore } from "../location-store.ts";
import { memoryStore } from "../memory-store.ts";
import { Registrar } from "../registrar.ts";
import type { RegistrarOptions } from "../registrar-options.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { ALICE, Scene } from "../test-kit/qualify-kit.ts";
import { distant, inMemory, register } from "../test-kit/registrar-kit.ts";
import { sampleBinding } from "../testing.ts";
import type { QualifyOptions } from "./qualify-options.ts";

/** Without chance: each binding is pinged every 30 s. */
const STEADY: QualifyOptions = { interval: 30, jitter: 0, timeout: 5 };

function scene(qualify: QualifyOptions = {}, more: RegistrarOptions = {}): Scene {
  return new Scene({ qualify: { ...STEADY, ...qualify }, ...more });
}

describe.each([
  ["at once", inMemory],
  ["later", distant],
] as const)("Registrar.qualify on a store that answers %s", (_when, store) => {
  it("tells that a phone is there, how far away, that it vanished, and that it is back", async () => {
    const at = scene({}, { store: store() });
    const phone = at.phone("phone");
    await at.net.start();
    expect(await at.register(phone)).toBe(200);
    expect(await at.registrar.query(ALICE)).toMatchObject([{ uri: "sip:phone@192.0.2.2" }]);
    await at.net.run("40s");
    const [binding] = await at.registrar.query(ALICE);
    expect([binding?.reachability, binding?.roundTripTime]).toEqual(["reachable", 20]);
    at.net.partition(["server"], ["phone"]);
    await at.net.run("30s");
    const [gone] = await at.registrar.query(ALICE);
    expect([gone?.reachability, gone?.roundTripTime]).toEqual(["unreachable", undefined]);
    expect(await at.registrar.counts()).toMatchObject({ reachable: 0, unreachable: 1, pings: 1 });
    at.net.heal();
    await at.net.run("30s");
    const { users } = await at.registrar.list();
    expect(users[0]?.bindings[0]).toMatchObject({ reachability: "reachable", roundTripTime: 20 });
    const [first = 0] = at.pings("phone");
    expect(at.log).toEqual([
      `${first} reachable sip:phone@192.0.2.2 20`,
      `${first + 35} unreachable sip:phone@192.0.2.2`,
      expect.stringMatching(/^\d+(\.\d)? reachable sip:phone@192\.0\.2\.2 \d+$/),
    ]);
    expect(at.counters()).toMatchObject({ unansweredPings: 1 });
    await at.net.until(at.server.app.server.close());
    await at.net.run("1m");
    at.net.expectIdle();
    expect(at.net.errors).toEqual([]);
  });
});

describe("Registrar.qualify, whom it pings", () => {
  it("sends OPTIONS of the binding's URI over the flow that it registered by, and nothing to another address", async () => {
    const at = scene();
    const [phone, other] = [at.phone("phone"), at.phone("other")];
    const bystander = at.phone("bystander");
    await at.net.start();
    await at.register(phone, { contact: "<sip:alice@10.0.0.7:5070;line=3>" });
    await at.register(other, { user: "bob", contact: `<sip:bob@${bystander.address}>` });
    await at.net.run("2m");
    const pings = at.net.messages({ method: "OPTIONS" });
    expect(new Set(pings.map(({ to }) => to))).toEqual(new Set(["192.0.2.2:5060"]));
    const [ping] = pings;
    const lines = ping?.wire.split("\r\n") ?? [];
    expect(lines[0]).toBe("OPTIONS sip:alice@10.0.0.7:5070;line=3 SIP/2.0");
    expect(lines).toContain("To: <sip:alice@server>");
    expect(at.pings("phone")).toHaveLength(4);
  });

  it.each([
    ["all", ["tcp", "udp", "nat"]],
    ["udp", ["udp", "nat"]],
    ["nat", ["nat"]],
  ] as const)("of those with a flow %s, and none that a push wakes", async (bindings, expected) => {
    const at = scene({ bindings }, { push: { providers: { apns: () => undefined } } });
    const contacts = {
      tcp: "<sip:tcp@192.0.2.2;transport=tcp>",
      udp: "<sip:udp@192.0.2.3>",
      nat: "<sip:nat@10.0.0.9>",
      sleeper: "<sip:sleeper@10.0.0.9;pn-provider=apns;pn-prid=1>",
    };
    const phones = Object.keys(contacts).map((name) => at.phone(name));
    await at.net.start();
    for (const [index, contact] of Object.values(contacts).entries()) {
      const phone = phones[index] as VirtualNode<Dispatcher>;
      const to = phone.name === "tcp" ? "server;transport=tcp" : "server";
      expect(await at.register(phone, { contact, at: to, user: phone.name })).toBe(200);
    }
    await at.net.run("1m");
    const pinged = phones.filter(({ name }) => at.pings(name).length > 0);
    expect(pinged.map(({ name }) => name)).toEqual(expected);
  });

  it("leaves those of another node to that one, in a store that they share", async () => {
    const at = scene({}, { store: memoryStore(), nodePath: true });
    const second = at.registrarNode("second");
    const [here, there] = [at.phone("here"), at.phone("there")];
    await at.net.start();
    await at.register(here, { user: "alice" });
    await at.register(there, { user: "bob", at: "second" });
    await at.net.run("95s");
    const from = (host: string) =>
      new Set(at.net.messages({ method: "OPTIONS", to: host }).map((m) => m.from));
    expect(from("here")).toEqual(new Set([`${at.server.address}:5060`]));
    expect(from("there")).toEqual(new Set([`${second.address}:5060`]));
    // It comes to this node: the other one forgets what it knew.
    await at.register(there, { user: "bob", cseq: 2 });
    await at.net.run("95s");
    expect(await second.app.registrar.counts()).toMatchObject({ reachable: 0, unreachable: 0 });
    expect(await at.registrar.counts()).toMatchObject({ reachable: 2 });
  });
});

/** Bindings of as many users, all at one phone, as a store has them that was there before the server. */
function filled(count: number, phone = "192.0.2.2"): LocationStore {
  const store = memoryStore();
  const flow = {
    node: "server",
    epoch: "before",
    protocol: "udp",
    local: "192.0.2.1:5060",
    remote: `${phone}:5060`,
  } as const;
  for (let user = 0; user < count; user += 1) {
    store.update(`sip:${user}@server`, () => [sampleBinding(user, { flow, params: "" })]);
  }
  return store;
}

/** A server with bindings of as many users on one connection, whose device says nothing. */
async function connected(
  count: number,
  qualify: QualifyOptions,
): Promise<{ readonly server: TestServer; readonly registrar: Registrar }> {
  const store = memoryStore();
  const registrar = new Registrar({ store, qualify: { ...STEADY, ...qualify } });
  const server = await TestServer.start(registrar, { leg: "tcp:192.0.2.1:5060" });
  await server.ask(register(undefined));
  const { node, epoch } = server.dispatcher;
  const flow = {
    node,
    epoch,
    protocol: "tcp",
    connection: 5060,
    local: "192.0.2.1:5060",
    remote: "192.0.2.100:5060",
  } as const;
  for (let user = 0; user < count; user += 1) {
    store.update(`sip:${user}@example.com`, () => [sampleBinding(user, { flow })]);
  }
  return { server, registrar };
}

/** What a store of the simplest kind has: it counts nothing. */
function methodsOf(store: LocationStore): LocationStore {
  return {
    read: (key) => store.read(key),
    update: (key, change) => store.update(key, change),
    expire: (now, limit) => store.expire(now, limit),
    nextExpiry: () => undefined,
    list: (range) => store.list(range),
  };
}

describe("Registrar.qualify, when it pings", () => {
  it("takes chance off the interval, and never adds to it", async () => {
    const run = async (): Promise<readonly number[]> => {
      const at = scene({ interval: 10, jitter: 0.5 });
      const phone = at.phone("phone");
      await at.net.start();
      await at.register(phone);
      await at.net.run("5m");
      const pings = at.pings("phone");
      return pings.slice(1).map((time, index) => time - (pings[index] as number));
    };
    const gaps = await run();
    expect(gaps.length).toBeGreaterThan(30);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10.11);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4.89);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(3);
    expect(await run()).toEqual(gaps);
  });

  it("has one ping of a binding in time, also where chance would have the next come before", async () => {
    const at = scene({ interval: 10, jitter: 0.9, timeout: 10 });
    const phone = at.phone("phone", () => "drop");
    await at.net.start();
    await at.register(phone);
    await at.net.run("1m");
    const [first = 0, second = 0] = at.pings("phone");
    expect(second - first).toBeGreaterThanOrEqual(10);
  });

  it("isn't in a hurry for users whom a store only counts", async () => {
    const memory = filled(1);
    const store: LocationStore = { ...methodsOf(memory), counts: () => ({ users: 100 }) };
    const at = scene({}, { store });
    at.phone("phone");
    await at.net.start();
    await at.net.run("5m");
    expect(at.pings("phone").length).toBeGreaterThan(8);
    expect(at.pings("phone").length).toBeLessThan(12);
  });

  it("spreads 5,000 bindings evenly over the interval, each of them once", {
    timeout: 30_000,
  }, async () => {
    const { server, registrar } = await connected(5000, { maxPings: 10_000 });
    await server.clock.advance(1000);
    const perSecond: number[] = [];
    const pinged: string[] = [];
    for (let second = 0; second < 30; second += 1) {
      await server.clock.advance(1000);
      const sent = server.takeSent().map(({ to }) => to.uri);
      perSecond.push(sent.length);
      pinged.push(...sent);
    }
    expect(Math.min(...perSecond)).toBeGreaterThan(160);
    expect(Math.max(...perSecond)).toBeLessThan(174);
    expect(new Set(pinged).size).toBe(pinged.length);
    await server.clock.advance(6000);
    expect(await registrar.counts()).toMatchObject({ unreachable: 5000 });
    await server.close();
  });

  it.each([
    ["counts", 1, memoryStore()],
    ["doesn't", 1, methodsOf(memoryStore())],
    ["doesn't, and had none", 0, methodsOf(memoryStore())],
  ])("comes to whoever registers within an interval, on a store that %s", async (...given) => {
    const [, before, store] = given;
    const at = scene({}, { store });
    const phone = at.phone("phone");
    await at.net.start();
    if (before > 0) await at.register(phone, { user: "first" });
    await at.net.run("65s");
    const { net } = at;
    for (let user = 0; user < 12; user += 1) await at.register(phone, { user: `later-${user}` });
    const since = net.log.length;
    await net.run("31s");
    const pinged = net.log.slice(since).filter(({ wire }) => wire.startsWith("OPTIONS "));
    expect(new Set(pinged.map(({ packet }) => packet.to.uri)).size).toBe(12 + before);
  });

  it("has no more pings under way than maxPings; the others wait, and are counted", async () => {
    const { server, registrar } = await connected(60, { maxPings: 10 });
    let most = 0;
    for (let second = 0; second < 240; second += 1) {
      await server.clock.advance(1000);
      const { pings = 0 } = await registrar.counts();
      most = Math.max(most, pings);
    }
    expect(most).toBe(10);
    expect(await registrar.counts()).toMatchObject({ unreachable: 60 });
    const { pingsHeldBack, pings } = server.dispatcher.counters();
    expect(pingsHeldBack).toBeGreaterThan(4);
    expect(pings).toBeGreaterThanOrEqual(60);
    await server.close();
  });

  it("goes on when the store is back, and says once that it was away", async () => {
    const memory = filled(3);
    let isAway = false;
    const ask = <T>(give: () => T): T => {
      if (isAway) throw new StoreUnavailable("cut");
      return give();
    };
    const store: LocationStore = {
      ...methodsOf(memory),
      list: (range) => ask(() => memory.list(range)),
    };
    const at = scene({}, { store });
    at.phone("phone");
    await at.net.start();
    await at.net.run("35s");
    isAway = true;
    await at.net.run("2m");
    expect(at.net.errors.map(({ error }) => error.code)).toEqual(["SIP_STORE_UNAVAILABLE"]);
    const before = at.pings("phone").length;
    isAway = false;
    await at.net.run("35s");
    expect(at.pings("phone").length - before).toBeGreaterThanOrEqual(3);
  });

  it("begins anew where the store has forgotten how far it was", async () => {
    const memory = filled(3);
    let isForgetful = true;
    const store: LocationStore = {
      ...methodsOf(memory),
      list(range) {
        const isBad = range.after !== undefined && isForgetful;
        isForgetful = range.after === undefined && isForgetful;
        return memory.list(isBad ? { ...range, after: "none" } : range);
      },
    };
    const at = scene({}, { store });
    at.phone("phone");
    await at.net.start();
    await at.net.run("65s");
    expect(await at.registrar.counts()).toMatchObject({ reachable: 3 });
    expect(at.net.errors.map(({ error }) => error.code)).toEqual(["SIP_STORE"]);
  });

  it("goes on after a binding that no request can be sent to, and reports it once", async () => {
    const store = filled(3);
    const [first] = (await store.read("sip:1@server")) ?? [];
    await store.update("sip:1@server", () => (first ? [{ ...first, uri: "sip:a b@[" }] : []));
    const at = scene({}, { store });
    at.phone("phone");
    await at.net.start();
    await at.net.run("2m");
    expect(await at.registrar.counts()).toMatchObject({ reachable: 2 });
    expect(at.net.errors.map(({ error }) => error.code)).toEqual(["SIP_STORE"]);
  });

  it("stops with the server while a page is being read", async () => {
    const memory = filled(1);
    let read: (() => void) | undefined;
    const list: LocationStore["list"] = async (range) => {
      await new Promise<void>((resolve) => {
        read = resolve;
      });
      return memory.list(range);
    };
    const at = scene({}, { store: { ...methodsOf(memory), list } });
    at.phone("phone");
    await at.net.start();
    await at.net.run("1m");
    await at.net.until(at.server.app.server.close());
    expect(read).toBeDefined();
    read?.();
    await at.net.run("2m");
    expect([at.net.log.length, at.net.clock.pending]).toEqual([0, 0]);
    expect(at.counters()).not.toHaveProperty("pings");
    expect(at.net.errors).toEqual([]);
  });

  it("stops with the server, whatever is under way", async () => {
    const at = scene({ timeout: 10 }, { store: distant() });
    const phone = at.phone("phone");
    await at.net.start();
    await at.register(phone);
    at.net.partition(["server"], ["phone"]);
    await at.net.run("32s");
    expect(await at.registrar.counts()).toMatchObject({ pings: 1 });
    await at.net.until(at.server.app.server.close());
    const sent = at.net.log.length;
    await at.net.run("5m");
    expect(at.net.log).toHaveLength(sent);
    expect(at.net.clock.pending).toBe(0);
    expect(at.log).toEqual([]);
    expect(await at.registrar.counts()).toMatchObject({ reachable: 0, unreachable: 0, pings: 0 });
    at.net.expectIdle();
  });
});

describe("Registrar.qualify, what an answer means", () => {
  it.each([404, 486, 503, 603])("takes %s for a sign of life", async (status) => {
    const at = scene();
    const phone = at.phone("phone", (request) => request.createResponse(status));
    await at.net.start();
    await at.register(phone);
    await at.net.run("40s");
    expect(at.log).toEqual([expect.stringContaining(" reachable ")]);
  });

  it("removes what answers 430", async () => {
    const at = scene();
    const phone = at.phone("phone", (request) => request.createResponse(430));
    await at.net.start();
    await at.register(phone);
    await at.net.run("40s");
    expect(at.log).toEqual([expect.stringContaining(" lost sip:phone@")]);
    expect(await at.registrar.query(ALICE)).toEqual([]);
  });

  it("counts as many unanswered pings in a row as it is told", async () => {
    let isDeaf = true;
    const at = scene({ failures: 2 });
    const phone = at.phone("phone", (request) => (isDeaf ? "drop" : request.createResponse(200)));
    await at.net.start();
    await at.register(phone);
    await at.net.run("36s");
    isDeaf = false;
    await at.net.run("30s");
    isDeaf = true;
    await at.net.run("45s");
    const news = at.log.map((line) => line.split(" ")[1]);
    expect(news).toEqual(["reachable"]);
    await at.net.run("30s");
    expect(at.log.at(-1)).toContain(" unreachable ");
  });

  it("asks what doesn't answer less and less often", async () => {
    const at = scene();
    const phone = at.phone("phone", () => "drop");
    await at.net.start();
    await at.register(phone);
    await at.net.run("13m");
    const pings = at.pings("phone");
    const gaps = pings.slice(1).map((time, index) => Math.round(time - (pings[index] as number)));
    expect(gaps.slice(0, 5)).toEqual([30, 60, 120, 240, 240]);
    expect(at.log).toHaveLength(1);
  });

  it("removes what doesn't answer, where that is wanted", async () => {
    const at = scene({ whenUnreachable: "remove", failures: 3 });
    const phone = at.phone("phone", () => "drop");
    await at.net.start();
    await at.register(phone);
    await at.net.run("90s");
    expect(await at.registrar.query(ALICE)).toHaveLength(1);
    await at.net.run("10s");
    expect(at.log.map((line) => line.split(" ")[1])).toEqual(["unreachable", "lost"]);
    expect(await at.registrar.query(ALICE)).toEqual([]);
    expect(await at.registrar.counts()).toMatchObject({ unreachable: 0 });
  });

  it("takes a REGISTER for a sign of life too, also while a ping is under way", async () => {
    const at = scene({ whenUnreachable: "remove", timeout: 10 });
    const phone = at.phone("phone", () => "drop");
    await at.net.start();
    await at.register(phone);
    await at.net.run("32s");
    expect(await at.registrar.counts()).toMatchObject({ pings: 1 });
    await at.register(phone, { cseq: 2 });
    await at.net.run("20s");
    expect(await at.registrar.query(ALICE)).toHaveLength(1);
    expect(at.log).toEqual([]);
    const marked = scene();
    const other = marked.phone("phone", () => "drop");
    await marked.net.start();
    await marked.register(other);
    await marked.net.run("40s");
    expect(await marked.registrar.counts()).toMatchObject({ unreachable: 1 });
    await marked.register(other, { cseq: 2 });
    expect(await marked.registrar.counts()).toMatchObject({ unreachable: 0 });
    expect((await marked.registrar.query(ALICE))[0]).not.toHaveProperty("reachability");
  });

  it("pings, and remembers nothing, what is over its bound, and counts it", async () => {
    const at = scene({ remembered: 2 }, { store: filled(3) });
    at.phone("phone");
    await at.net.start();
    await at.net.run("65s");
    expect(at.pings("phone").length).toBeGreaterThanOrEqual(6);
    expect(await at.registrar.counts()).toMatchObject({ reachable: 2 });
    expect(at.log).toHaveLength(2);
    expect(at.counters()).toMatchObject({ forgottenPings: 2 });
  });
});

describe("Registrar.qualify, where requests go", () => {
  /** Alice's phones: `far` and `near` answer, `gone` doesn't. */
  async function phones(qualify: QualifyOptions, names = ["far", "near", "gone"]) {
    const at = scene(qualify);
    const hosts = names.map((name) =>
      name.startsWith("gone") ? at.phone(name, () => "drop") : at.phone(name),
    );
    const caller = at.phone("caller");
    if (names.includes("far")) at.net.between("server", "far", { latency: 200 });
    await at.net.start();
    for (const host of hosts)
      await at.register(host, { contact: `<sip:${host.name}@${host.address}>` });
    await at.net.run("70s");
    const targets = async (): Promise<readonly string[]> =>
      (await at.targets(caller)).map((text) => text.replace(/^sip:|@[\d.]+/g, ""));
    return { at, hosts: hosts as VirtualNode<Dispatcher>[], targets };
  }

  it("tries what doesn't answer last, until it registers again", async () => {
    const { at, hosts, targets } = await phones({});
    expect(await targets()).toEqual(["near 1", "far 1", "gone 0"]);
    const gone = hosts[2] as VirtualNode<Dispatcher>;
    await at.register(gone, { cseq: 2, contact: `<sip:gone@${gone.address}>` });
    expect(await targets()).toEqual(["gone 1", "near 1", "far 1"]);
  });

  it("leaves it out, where that is wanted", async () => {
    const { targets } = await phones({ whenUnreachable: "skip" });
    expect(await targets()).toEqual(["near 1", "far 1"]);
  });

  it.each(["last", "skip"] as const)(
    "tries all where none answers: %s",
    async (whenUnreachable) => {
      const { targets } = await phones({ whenUnreachable }, ["gone-a", "gone-b"]);
      expect(await targets()).toEqual(["gone-b 1", "gone-a 1"]);
    },
  );

  it("tries first who answers fastest, where that is wanted, of those of the same q", async () => {
    const plain = await phones({}, ["near", "far"]);
    expect(await plain.targets()).toEqual(["far 1", "near 1"]);
    const sorted = await phones({ sortByLatency: true }, ["near", "far"]);
    expect(await sorted.targets()).toEqual(["near 1", "far 1"]);
  });

  it("makes room for a new binding of what doesn't answer", async () => {
    const at = scene({}, { maxBindings: 2, whenFull: "replace-unreachable" });
    const [here, gone, more] = [at.phone("here"), at.phone("gone", () => "drop"), at.phone("more")];
    await at.net.start();
    await at.register(gone);
    await at.register(here);
    expect(await at.register(more)).toBe(403);
    await at.net.run("70s");
    expect(await at.register(more, { cseq: 2 })).toBe(200);
    const uris = (await at.registrar.query(ALICE)).map(({ uri }) => uri);
    expect(uris).toEqual([`sip:more@${more.address}`, `sip:here@${here.address}`]);
  });
});

describe("Registrar.qualify, its options", () => {
  it.each([
    { interval: 0 },
    { interval: Number.NaN },
    { jitter: 1 },
    { timeout: 33, interval: 60 },
    { timeout: 6, interval: 5 },
    { failures: 0 },
    { maxPings: 1.5 },
    { remembered: 0 },
  ])("refuses %o", (qualify) => {
    expect(() => new Registrar({ qualify })).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });

  it("asks for nothing where it is off", async () => {
    const at = new Scene({});
    const phone = at.phone("phone");
    await at.net.start();
    await at.register(phone);
    await at.net.run("5m");
    expect(at.pings("phone")).toEqual([]);
    expect(await at.registrar.counts()).not.toHaveProperty("reachable");
  });
});
