import { readFile } from "node:fs/promises";
import { setImmediate, setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { onRequest } from "../chain/on-request.ts";
import type { Dispatcher } from "../dispatcher/dispatcher.ts";
import type { LinkConditions } from "./links.ts";
import type { HostLeg } from "./virtual-host.ts";
import { VirtualNetwork, type VirtualNetworkOptions } from "./virtual-network.ts";
import type { VirtualNode } from "./virtual-node.ts";

const accept = onRequest("MESSAGE", (request) => request.createResponse(200));

interface Pair {
  readonly net: VirtualNetwork;
  readonly alice: VirtualNode<Dispatcher>;
  readonly bob: VirtualNode<Dispatcher>;
  /** Lets alice send a MESSAGE to bob, and tells status or error code. */
  send(): Promise<number | string>;
}

async function pair(options: VirtualNetworkOptions = {}, leg: HostLeg = "udp"): Promise<Pair> {
  const net = new VirtualNetwork(options);
  const alice = net.node("alice", (host) => host.serve({ legs: [leg] }));
  const bob = net.node("bob", (host) => host.serve({ legs: [leg], receiver: accept }));
  await net.start();
  return {
    net,
    alice,
    bob,
    send: () =>
      alice.app.request(alice.newRequest("MESSAGE", `sip:bob;transport=${leg}`)).final.then(
        ({ status }) => status,
        (error: { code: string }) => error.code,
      ),
  };
}

describe("VirtualNetwork, nodes", () => {
  it("have addresses of their own and are found by their names", async () => {
    const { net, alice, bob, send } = await pair();
    expect([alice.address, bob.address]).toEqual(["192.0.2.1", "192.0.2.2"]);
    expect(await net.until(send())).toBe(200);
    expect(net.clock.now()).toBe(2);
    expect(net.log.map(({ at, from, to }) => [at, from, to])).toEqual([
      [0, "192.0.2.1:5060", "192.0.2.2:5060"],
      [1, "192.0.2.2:5060", "192.0.2.1:5060"],
    ]);
  });

  it("are found by further names, at addresses that they were given", async () => {
    const net = new VirtualNetwork();
    net.node("server", {
      address: "2001:DB8::5",
      names: ["example.com"],
      start: (host) => host.serve({ legs: ["udp"], receiver: accept }),
    });
    const alice = net.node("alice", {
      address: "2001:db8::6",
      start: (host) => host.serve({ legs: ["udp"] }),
    });
    await net.start();
    const { status } = await net.until(
      alice.app.request(alice.newRequest("MESSAGE", "sip:example.com")).final,
    );
    expect(status).toBe(200);
    expect(net.messages({ to: "server" })).toHaveLength(1);
    expect(net.messages({ from: "2001:db8::5" })).toHaveLength(1);
  });

  it("are refused a name or an address that is taken, and one that is none", () => {
    const net = new VirtualNetwork();
    net.node("a", () => 1);
    expect(() => net.node("a", () => 1)).toThrow('"a"');
    expect(() => net.node("b", { address: "192.0.2.1", start: () => 1 })).toThrow("another node's");
    expect(() => net.node("c", { address: "nowhere", start: () => 1 })).toThrow('"nowhere"');
    expect(() => net.partition(["a"], ["d"])).toThrow('"d"');
  });

  it("make requests of their own, with the headers that a test wants", async () => {
    const { alice } = await pair();
    const { headers } = alice.newRequest("MESSAGE", "sip:bob@bob", {
      Subject: "hi",
      CSeq: "7 MESSAGE",
    });
    expect(headers.get("from")).toMatch(/^<sip:alice@192\.0\.2\.1>;tag=[\w-]{16}$/);
    expect(headers.get("to")).toBe("<sip:bob@bob>");
    expect([headers.get("subject"), headers.getAll("cseq")]).toEqual(["hi", ["7 MESSAGE"]]);
    alice.crash();
    expect(() => alice.newRequest("MESSAGE", "sip:bob")).toThrow("isn't running");
  });

  it("run once at a time, and are nothing before and after", async () => {
    const net = new VirtualNetwork();
    let lives = 0;
    const node = net.node("a", () => ++lives);
    expect(() => node.app).toThrow("isn't running");
    expect(await node.start()).toBe(1);
    await expect(node.start()).rejects.toThrow("runs already");
    expect(await node.restart()).toBe(2);
    node.crash();
    node.crash();
    expect(node.isRunning).toBe(false);
    expect(() => node.app).toThrow("isn't running");
  });

  it("don't run when their factory fails, and can be started again", async () => {
    const net = new VirtualNetwork();
    let isBroken = true;
    const node = net.node("a", async (host) => {
      await host.serve();
      if (isBroken) throw new Error("no database");
    });
    await expect(net.start()).rejects.toThrow("no database");
    expect(node.isRunning).toBe(false);
    isBroken = false;
    await net.start();
    expect(node.isRunning).toBe(true);
  });

  it("listen on free ports when they ask for any", async () => {
    const net = new VirtualNetwork();
    const node = net.node("a", (host) => host.serve({ legs: ["udp:0", "udp:0", "tcp:5070"] }));
    const { legs } = await node.start();
    expect(new Set(legs.map(({ port }) => port)).size).toBe(3);
    expect(legs.every(({ port }) => port > 0)).toBe(true);
  });
});

describe("VirtualNetwork, datagrams", () => {
  it("take as long as their link says", async () => {
    const { net, send } = await pair({ latency: 30 });
    await net.until(send());
    expect(net.clock.now()).toBe(60);
    net.between("alice", "bob", { latency: [5, 10] });
    const before = net.clock.now();
    await net.until(send());
    expect(net.clock.now() - before).toBeGreaterThanOrEqual(10);
    expect(net.clock.now() - before).toBeLessThanOrEqual(20);
  });

  it("are lost by chance or by choice, and sent again", async () => {
    const { net, send } = await pair({ loss: ({ wire }) => wire.startsWith("SIP/2.0") });
    const sent = send();
    await net.run("1s");
    expect(net.messages({ method: "MESSAGE" }).map(({ at, fate }) => [at, fate])).toEqual([
      [0, "delivered"],
      [500, "delivered"],
    ]);
    expect(net.messages({ status: 200, fate: "lost" })).toHaveLength(2);
    net.change({ loss: 0 });
    expect(await net.until(sent)).toBe(200);
    net.change({ loss: 1 });
    expect(await net.until(send())).toBe("SIP_TIMEOUT");
  });

  it("arrive twice, which their fate says", async () => {
    const { net, send } = await pair({ duplication: 1 });
    expect(await net.until(send())).toBe(200);
    await net.settle();
    await net.run(10);
    expect(net.messages({ method: "MESSAGE" }).map(({ fate }) => fate)).toEqual(["duplicated"]);
    expect(net.messages({ status: 200 })).toHaveLength(2);
  });

  const order = async (conditions: LinkConditions): Promise<readonly string[]> => {
    const net = new VirtualNetwork({ seed: 3, latency: [1, 50], ...conditions });
    const got: string[] = [];
    const a = net.transport("udp:192.0.2.1");
    const b = net.transport("udp:192.0.2.2");
    const ignore = { malformed: () => {}, failed: () => {}, closed: () => {} };
    await a.listen({ ...ignore, message: () => {} });
    await b.listen({ ...ignore, message: (bytes) => got.push(Buffer.from(bytes).toString()) });
    for (let i = 10; i < 30; i++)
      a.send(`${i}`, { protocol: "udp", address: b.address, port: 5060 });
    await net.run("1s");
    expect(got).toHaveLength(20);
    return got;
  };

  it("keep their order, unless it is said that some come late", async () => {
    const kept = await order({});
    expect(kept).toEqual([...kept].sort());
    const mixed = await order({ reordering: 0.3 });
    expect(mixed).not.toEqual(kept);
    expect([...mixed].sort()).toEqual(kept);
  });

  it("to nobody are lost", async () => {
    const { net, bob, send } = await pair();
    bob.crash();
    expect(await net.until(send())).toBe("SIP_TIMEOUT");
    expect(net.log.every(({ fate }) => fate === "lost")).toBe(true);
  });

  it("don't pass a partition, and do when it has healed", async () => {
    const { net, send } = await pair();
    net.partition(["alice"], ["bob"]);
    const sent = send();
    await net.run("10s");
    net.heal();
    expect(await net.until(sent)).toBe(200);
    expect(net.messages({ method: "MESSAGE", fate: "lost" }).length).toBeGreaterThan(3);
  });
});

describe("VirtualNetwork, connections", () => {
  it("are opened by a round trip, and carry both ways", async () => {
    const { net, alice, bob, send } = await pair({ latency: 10, loss: 1 }, "tcp");
    expect(await net.until(send())).toBe(200);
    expect(net.clock.now()).toBe(40);
    expect([alice.gauges(), bob.gauges()]).toMatchObject([{ connections: 1 }, { connections: 1 }]);
    expect(await net.until(send())).toBe(200);
    expect(net.clock.now()).toBe(60);
    expect(() => net.expectIdle()).toThrow("alice: connections 1, bob: connections 1");
    expect(() => net.expectIdle({ except: ["connections"] })).not.toThrow();
  });

  it("are refused after a round trip where nobody listens", async () => {
    const { net, bob, send } = await pair({ latency: 10 }, "tcp");
    bob.crash();
    expect(await net.until(send())).toBe("SIP_TRANSPORT");
    expect(net.clock.now()).toBe(20);
    net.expectIdle();
  });

  it("time out when they are opened through a partition", async () => {
    const { net, send } = await pair({}, "tcp");
    net.partition(["alice"], ["bob"]);
    expect(await net.until(send())).toBe("SIP_TRANSPORT");
    expect(net.clock.now()).toBe(10_000);
    net.heal();
    await net.run("1s");
    net.expectIdle();
  });

  it("hold what is sent until a partition heals, in its order", async () => {
    const { net, alice, send } = await pair({ latency: [1, 30] }, "tcp");
    await net.until(send());
    net.partition(["bob"], ["alice"]);
    const sent = Array.from({ length: 10 }, send);
    await net.run("5s");
    expect(net.messages({ fate: "held" })).toHaveLength(10);
    net.heal();
    expect(await net.until(Promise.all(sent))).toEqual(new Array(10).fill(200));
    const arrived = net.messages({ from: "alice" }).map(({ arrivedAt }) => arrivedAt ?? 0);
    expect(arrived).toEqual([...arrived].sort((a, b) => a - b));
    expect(alice.gauges()).toMatchObject({ connections: 1 });
  });

  it("keep their order also where a partition heals before all that it stops has come to it", async () => {
    const { net, bob, send } = await pair({ latency: 100 }, "tcp");
    await net.until(send());
    const sent = [send()];
    await net.run(50);
    sent.push(send());
    await net.settle();
    net.partition(["alice"], ["bob"]);
    await net.run(60);
    net.heal();
    await net.until(Promise.all(sent));
    const arrived = net.messages({ from: "alice" }).map(({ arrivedAt }) => arrivedAt ?? 0);
    expect(arrived).toEqual([...arrived].sort((a, b) => a - b));
    expect(new Set(arrived).size).toBe(3);
    expect(bob.gauges()).toMatchObject({ connections: 1 });
  });

  it("end when a partition lasts too long for what was sent", async () => {
    const { net, alice, bob, send } = await pair({}, "tcp");
    await net.until(send());
    net.partition(["alice"], ["bob"]);
    expect(await net.until(send())).toBe("SIP_TIMEOUT");
    await net.run("40s");
    expect(alice.gauges()).toMatchObject({ connections: 0 });
    expect(bob.gauges()).toMatchObject({ connections: 1 });
    net.heal();
    await net.run("1s");
    net.expectIdle();
    expect(await net.until(send())).toBe(200);
  });

  it("are reset when the other side crashes, as soon as the news arrives", async () => {
    const { net, alice, bob, send } = await pair({ latency: 10 }, "tcp");
    await net.until(send());
    const pending = send();
    await net.run(5);
    bob.crash();
    expect(alice.gauges()).toMatchObject({ connections: 1 });
    const before = net.clock.now();
    expect(await net.until(pending)).toBe("SIP_CONNECTION_CLOSED");
    expect(net.clock.now() - before).toBe(10);
    net.expectIdle();
    await bob.restart();
    expect(await net.until(send())).toBe(200);
  });

  it("lose what a crashed host had waiting, and end when the partition heals", async () => {
    const { net, alice, bob, send } = await pair({}, "tcp");
    await net.until(send());
    net.partition(["alice"], ["bob"]);
    void send();
    await net.run("1s");
    alice.crash();
    expect(net.messages({ method: "MESSAGE" }).map(({ fate }) => fate)).toEqual([
      "delivered",
      "lost",
    ]);
    await net.run("2m");
    expect(bob.gauges()).toMatchObject({ connections: 1 });
    net.heal();
    await net.run(10);
    expect(bob.gauges()).toMatchObject({ connections: 0 });
  });

  it("end at both sides when one server closes", async () => {
    const { net, alice, bob, send } = await pair({ latency: 10 }, "tcp");
    await net.until(send());
    await bob.app.close();
    expect(bob.gauges()).toMatchObject({ connections: 0 });
    expect(alice.gauges()).toMatchObject({ connections: 1 });
    await net.run(10);
    expect(alice.gauges()).toMatchObject({ connections: 0 });
  });
});

describe("VirtualNetwork, a crash", () => {
  it("stops timers, transports and reports of that life alone", async () => {
    const net = new VirtualNetwork();
    const ticks: string[] = [];
    let life = 0;
    const node = net.node("a", async (host) => {
      life += 1;
      const name = `life ${life}`;
      const tick = (): void => {
        ticks.push(name);
        host.clock.setTimer(1000, tick);
      };
      host.clock.setTimer(1000, tick);
      return host.serve({ legs: ["udp"] });
    });
    const bob = net.node("b", (host) => host.serve({ legs: ["udp"], receiver: accept }));
    await net.start();
    await net.run("2500ms");
    const zombie = node.app;
    const request = node.newRequest("MESSAGE", "sip:b");
    await node.restart();
    void zombie.request(request).final.catch(() => undefined);
    await net.run("1500ms");
    expect(ticks).toEqual(["life 1", "life 1", "life 2"]);
    expect(net.log).toEqual([]);
    expect(bob.gauges()).toMatchObject({ nonInviteServers: 0 });
  });

  it("gives the next life other chance, by the same seed", async () => {
    const tokens = async (): Promise<readonly string[]> => {
      const net = new VirtualNetwork({ seed: 5 });
      const node = net.node("a", (host) => host.random.token());
      const first = await node.start();
      return [first, await node.restart()];
    };
    const [first, second] = await tokens();
    expect(first).not.toBe(second);
    expect(await tokens()).toEqual([first, second]);
  });

  it("loses a datagram on its way, and what it had not answered", async () => {
    const { net, bob, send } = await pair({ latency: 10 });
    const sent = send();
    await net.run(5);
    bob.crash();
    await net.run(10);
    expect(net.log[0]?.fate).toBe("lost");
    await bob.restart();
    expect(await net.until(sent)).toBe(200);
  });
});

describe("VirtualNetwork, time", () => {
  it("stands still while a tracked store is at work, and while a held promise is", async () => {
    const net = new VirtualNetwork();
    const store = net.track({
      size: 3,
      async read(key: string): Promise<string> {
        await wait(20);
        return `${key}!`;
      },
    });
    const seen: unknown[] = [];
    net.clock.setTimer(10, () => {
      void store.read("x").then((value) => seen.push([net.clock.now(), value]));
    });
    net.clock.setTimer(11, () => seen.push(net.clock.now()));
    await net.run("1s");
    expect(seen).toEqual([[10, "x!"], 11]);
    expect(store.size).toBe(3);
    void net.hold(wait(20)).then(() => seen.push(net.clock.now()));
    await net.run("1s");
    expect(seen.at(-1)).toBe(1000);
  });

  it("stands still while a handler reads a file", async () => {
    const net = new VirtualNetwork();
    net.node("bob", (host) =>
      host.serve({
        receiver: async (packet) => {
          if (!packet.isRequest) return undefined;
          for (let i = 0; i < 5; i++) await readFile(new URL(import.meta.url));
          return packet.createResponse(200);
        },
      }),
    );
    const alice = net.node("alice", (host) => host.serve());
    await net.start();
    await net.until(alice.app.request(alice.newRequest("MESSAGE", "sip:bob")).final);
    expect(net.clock.now()).toBe(2);
  });

  it("passes while nodes start that need it, and stands still while they read files", async () => {
    const net = new VirtualNetwork();
    net.node("slow", (host) => new Promise<void>((resolve) => host.clock.setTimer(500, resolve)));
    net.node("file", async () => {
      for (let i = 0; i < 5; i++) await readFile(new URL(import.meta.url));
    });
    await net.start();
    expect(net.clock.now()).toBe(500);
    const node = net.node("b", () => setImmediate());
    expect(node.start()).toBe(node.start());
    node.crash();
    await expect(net.start()).resolves.toBeUndefined();
    expect(node.isRunning).toBe(true);
  });

  it("moves on while a handler waits for it", async () => {
    const net = new VirtualNetwork();
    net.node("bob", (host) =>
      host.serve({
        receiver: async (packet) => {
          if (!packet.isRequest) return undefined;
          await setImmediate();
          await new Promise<void>((resolve) => host.clock.setTimer(3000, resolve));
          return packet.createResponse(200);
        },
      }),
    );
    const alice = net.node("alice", (host) => host.serve());
    await net.start();
    const final = alice.app.request(alice.newRequest("MESSAGE", "sip:bob")).final;
    await net.run("1s");
    expect(() => net.expectIdle()).toThrow("bob: nonInviteServers 1");
    expect(() => net.expectIdle()).toThrow("pendingHandlers 1");
    expect((await net.until(final)).status).toBe(200);
    expect(net.clock.now()).toBe(3002);
  });

  it("is named in many ways", async () => {
    const net = new VirtualNetwork();
    for (const duration of [5, "150ms", "40s", "2m", "1h", "0.5s"] as const)
      await net.run(duration);
    expect(net.clock.now()).toBe(5 + 150 + 40_000 + 120_000 + 3_600_000 + 500);
    expect(() => net.run("40" as "40s")).toThrow('write 40_000, "150ms", "40s"');
    expect(() => net.run(-1)).toThrow(RangeError);
  });

  it("is up when a promise takes too long", async () => {
    const net = new VirtualNetwork();
    const never = new Promise<void>(() => undefined);
    await expect(net.until(never, "3s")).rejects.toThrow("has not settled within 3s");
    expect(net.clock.now()).toBe(3000);
    await expect(net.until(Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });
});

describe("VirtualNetwork, what it tells", () => {
  it("is each message, by who, to whom and what", async () => {
    const { net, send } = await pair();
    await net.until(send());
    expect(net.messages({ from: "alice", to: "bob", method: "MESSAGE" })).toHaveLength(1);
    expect(net.messages({ from: "bob", method: "MESSAGE" })).toEqual([]);
    expect(net.messages({ method: "MESSAGE", status: 200 })).toHaveLength(1);
    expect(net.messages({ method: "INVITE", status: 200 })).toEqual([]);
    expect(net.messages({ from: "192.0.2.1:5060" })).toHaveLength(1);
    expect(net.messages({ from: "192.0.2.2" })[0]?.packet).toMatchObject({ status: 200 });
    expect(net.messages()).toHaveLength(2);
    net
      .transport("udp:192.0.2.9")
      .send("SIP/2.0 200 OK", { protocol: "udp", address: "192.0.2.1", port: 1 });
    expect(net.messages({ method: "MESSAGE", status: 200 })).toHaveLength(1);
  });

  it("is a ladder of them", async () => {
    let isFirst = true;
    const { net, send } = await pair({
      latency: 10,
      loss: ({ wire }) => {
        const isLost = isFirst && wire.startsWith("SIP/2.0");
        if (isLost) isFirst = false;
        return isLost;
      },
    });
    await net.until(send());
    const [head, ...lines] = net.ladder().split("\n");
    expect(head?.trim().split(/ +/)).toEqual(["alice", "bob"]);
    expect(lines.filter((line) => line.includes("✗"))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("MESSAGE (1)"))).toHaveLength(2);
    const answers = net.ladder(net.messages({ status: 200 }));
    expect(answers.split("\n").filter((line) => line.includes("200 OK"))).toHaveLength(2);
    expect(answers).not.toContain("MESSAGE (1)");
  });

  it("is what the servers reported, and what is alive", async () => {
    const net = new VirtualNetwork();
    const told: string[] = [];
    net.node("bob", (host) =>
      host.serve({
        receiver: () => {
          throw new Error("broken");
        },
        onError: ({ code }) => told.push(code),
      }),
    );
    const alice = net.node("alice", (host) => host.serve());
    await net.start();
    expect(
      (await net.until(alice.app.request(alice.newRequest("MESSAGE", "sip:bob")).final)).status,
    ).toBe(500);
    expect(net.errors).toMatchObject([
      { node: "bob", at: 1, error: { code: "SIP_HANDLER_THREW" } },
    ]);
    expect(told).toEqual(["SIP_HANDLER_THREW"]);
    expect(() => net.expectIdle()).toThrow(/not idle at 2 ms: .*alice: nonInviteClients 1/);
    await net.run("40s");
    net.expectIdle();
  });

  it("refuses conditions that can't be", () => {
    expect(() => new VirtualNetwork({ loss: 2 })).toThrow("loss");
    expect(() => new VirtualNetwork({ latency: [5, 1] })).toThrow("latency");
    expect(() => new VirtualNetwork({ latency: -1 })).toThrow("latency");
    expect(() => new VirtualNetwork().change({ reordering: Number.NaN })).toThrow("reordering");
  });

  it("is the same by the same seed, byte for byte", async () => {
    const run = async (seed: number): Promise<string> => {
      const conditions = {
        latency: [1, 80],
        loss: 0.2,
        duplication: 0.2,
        reordering: 0.2,
      } as const;
      const { net, bob, send } = await pair({ seed, ...conditions });
      const sent = Array.from({ length: 20 }, send);
      await net.run("3s");
      await bob.restart();
      await net.run("40s");
      await Promise.all(sent);
      return JSON.stringify(
        net.log.map(({ at, arrivedAt, from, to, wire, fate }) => [
          at,
          arrivedAt,
          from,
          to,
          wire,
          fate,
        ]),
      );
    };
    const first = await run(11);
    expect(first.length).toBeGreaterThan(5000);
    expect(await run(11)).toBe(first);
    expect(await run(12)).not.toBe(first);
  });
});
