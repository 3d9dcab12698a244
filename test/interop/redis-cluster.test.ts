import {
  describeLocationStore,
  describeSharedLocationStore,
  sampleBinding,
} from "@sipkit/registrar/testing";
import { type RedisStore, type RedisStoreOptions, redisStore } from "@sipkit/store-redis";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { endPrograms } from "./program.ts";
import { eventually, redisCommand } from "./redis.ts";
import {
  type ClusterNode,
  killMaster,
  moveSlot,
  type RedisCluster,
  restartNode,
  startCluster,
} from "./redis-cluster.ts";
import { expectKept, refresh, register, UNAVAILABLE, Writers } from "./redis-kit.ts";
import { removeScratchFolders } from "./scratch.ts";

/** Each of three masters has three of them, or four. */
const NAMES = ["ada", "benno", "cleo", "dora", "emil", "frida", "gustav", "hanna", "i", "jo"];
const USERS: readonly string[] = NAMES.map((name) => `sip:${name}@example.com`);

describe.skipIf(inject("missingTools").includes("redis-server"))("redisStore on a cluster", () => {
  let cluster: RedisCluster;
  const opened: RedisStore[] = [];
  beforeAll(async () => {
    cluster = await startCluster(3);
  }, 60_000);
  afterEach(() => {
    for (const store of opened.splice(0)) store.close();
  });
  afterAll(async () => {
    await endPrograms();
    await removeScratchFolders();
  });

  let count = 0;
  /** A store that knows one node, which tells it of the others. */
  function create(options: Partial<RedisStoreOptions> = {}): RedisStore {
    count += 1;
    const known = [cluster.masters[0]?.url ?? ""];
    return redisStore({ cluster: known, prefix: `test${count}`, ...options });
  }
  function open(options: Partial<RedisStoreOptions>): RedisStore {
    const store = create(options);
    opened.push(store);
    return store;
  }

  async function slotOf(key: string): Promise<number> {
    return Number(await redisCommand(cluster.masters[0] as ClusterNode, "CLUSTER", "KEYSLOT", key));
  }
  /** The index of the master that has a slot, as long as none was moved. */
  const homeOf = (slot: number): number => Math.floor((slot * 3) / 16_384);

  /** A user, the index of her master, and a user of another one. */
  async function neighbours(): Promise<{ hit: string; home: number; other: string }> {
    const homes = await Promise.all(USERS.map(async (user) => homeOf(await slotOf(`=${user}`))));
    const [home = 0] = homes;
    const other = homes.findIndex((each) => each !== home);
    return { hit: USERS[0] ?? "", home, other: USERS[other] ?? "" };
  }

  describeLocationStore("redisStore", create, { describe, it });
  describeSharedLocationStore(
    "redisStore",
    () => {
      const prefix = `shared${count}`;
      return [create({ prefix }), create({ prefix })];
    },
    { describe, it },
  );

  it("has all that is a user's in one slot, and users on every node", async () => {
    const store = open({ prefix: "slot" });
    for (const user of USERS) await refresh(store, user);
    const found = await Promise.all(
      cluster.masters.map((node) => redisCommand(node, "--scan", "--pattern", "slot:{=*")),
    );
    const expected = await Promise.all(
      USERS.map(async (user) => [`slot:{=${user}}`, homeOf(await slotOf(`=${user}`))] as const),
    );
    for (const [node, keys] of found.entries()) {
      const own = expected.filter(([, home]) => home === node).map(([key]) => key);
      expect(own.length).toBeGreaterThan(0);
      expect(keys.split("\n").toSorted()).toEqual(own.toSorted());
    }
  });

  it.each([0, 1])(
    "loses and refuses nothing while slots move, with %i replicas",
    async (replicas) => {
      const store = open({ prefix: "move", replicas });
      const counts = new Map<string, number>();
      const write = async (user: string): Promise<void> => {
        counts.set(user, (counts.get(user) ?? 0) + 1);
        expect(await refresh(store, user)).toBe(counts.get(user));
      };
      for (const user of USERS.slice(0, 6)) await write(user);
      // Two parts of the index, where two keys are changed at once, move too.
      const tags = [...USERS.map((user) => `=${user}`), "0", "7"];
      const slots = await Promise.all(tags.map(slotOf));
      for (const slot of slots) {
        const from = cluster.masters[homeOf(slot)] as ClusterNode;
        const to = cluster.masters[(homeOf(slot) + 1) % 3] as ClusterNode;
        // Half of them are not there yet when their slot begins to move.
        await moveSlot(slot, from, to, () => Promise.all(USERS.map(write)));
        await Promise.all(USERS.map(write));
        await moveSlot(slot, to, from, () => Promise.all(USERS.map(write)));
      }
      for (const user of USERS) expect((await store.read(user))?.[0]?.cseq).toBe(counts.get(user));
      expect((await store.list({ limit: 100 })).users).toHaveLength(USERS.length);
      expect(await store.expire(sampleBinding(1).expiresAt, 100)).toHaveLength(USERS.length);
    },
  );

  it("waits until a slot has moved where a node has no more than one of two keys", async () => {
    const [user = ""] = USERS;
    await refresh(open({ prefix: "part" }), user);
    const lists = cluster.masters.map((node) =>
      redisCommand(node, "--scan", "--pattern", "part:ends:*"),
    );
    const [, part = ""] = /{(\d+)}/.exec((await Promise.all(lists)).join()) ?? [];
    const slot = await slotOf(part);
    const [from, to] = [0, 1].map((step) => cluster.masters[(homeOf(slot) + step) % 3]);
    const store = open({ prefix: "split" });
    const updates: Promise<unknown>[] = [];
    await moveSlot(slot, from as ClusterNode, to as ClusterNode, async () => {
      updates.push(refresh(store, user));
      await store.nextExpiry();
    });
    expect(updates.length).toBeGreaterThan(0);
    await Promise.all(updates);
    expect(await store.nextExpiry()).toBe(sampleBinding(1).expiresAt);
    await moveSlot(slot, to as ClusterNode, from as ClusterNode, async () => {});
  });

  it("refuses what no replica has", async () => {
    const store = open({ prefix: "wait", replicas: 2, timeout: 300 });
    await expect(refresh(store)).rejects.toMatchObject(UNAVAILABLE);
  });

  it("refuses users of a node that stands still, in time, and nobody else", async () => {
    const store = open({ prefix: "still", timeout: 500 });
    const { hit, other, home } = await neighbours();
    await Promise.all([refresh(store, hit), refresh(store, other)]);
    cluster.masters[home]?.program.signal("SIGSTOP");
    for (let turn = 0; turn < 3; turn += 1) {
      const refused = expect(refresh(store, hit)).rejects.toMatchObject(UNAVAILABLE);
      expect(await refresh(store, other)).toBe(2 + turn);
      await refused;
    }
    cluster.masters[home]?.program.signal("SIGCONT");
    expect(await eventually(() => refresh(store, hit))).toBeGreaterThan(1);
  });

  it("refuses users of a master that is dead, and has all that was acknowledged when its replica took over", async () => {
    const store = open({ prefix: "dead", replicas: 1 });
    const { hit, other, home: dead } = await neighbours();
    const writers = new Writers(store, USERS);
    await eventually(async () => {
      expect(writers.acknowledged.size).toBe(USERS.length);
      expect(Math.min(...writers.acknowledged.values())).toBeGreaterThan(5);
    });

    await killMaster(cluster, dead);
    const before = new Map(writers.acknowledged);
    expect(await register(store, hit)).toMatchObject(["503", "5", { storeUnavailable: 1 }]);
    expect(await refresh(store, other)).toBeGreaterThan(5);
    // One that is opened only now finds its way, too.
    const late = open({ prefix: "dead", cluster: cluster.masters.map(({ url }) => url) });
    expect(await late.read(other)).toHaveLength(1);

    await eventually(() => store.read(hit));
    await expectKept(late, before);
    // Who took over has no replica yet.
    await expect(refresh(store, hit)).rejects.toMatchObject(UNAVAILABLE);
    await restartNode(cluster.masters[dead] as ClusterNode);
    await eventually(() => refresh(store, hit));
    await writers.stop();
    await expectKept(late, writers.acknowledged);
  });
});
