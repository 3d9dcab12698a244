import { setTimeout as sleep } from "node:timers/promises";
import type { LocationStore } from "@sipkit/registrar";
import {
  describeLocationStore,
  describeSharedLocationStore,
  sampleBinding,
} from "@sipkit/registrar/testing";
import { type RedisStore, type RedisStoreOptions, redisStore } from "@sipkit/store-redis";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { endPrograms } from "./program.ts";
import { eventually, type RedisServer, redisCommand, startRedis, startSentinel } from "./redis.ts";
import { ALICE, expectKept, refresh, register, UNAVAILABLE, Writers } from "./redis-kit.ts";
import { removeScratchFolders } from "./scratch.ts";

const opened: LocationStore[] = [];
function open(options: RedisStoreOptions): RedisStore {
  const store = redisStore(options);
  opened.push(store);
  return store;
}

/** Each test's keys have a beginning of their own. */
let count = 0;
function freshPrefix(): string {
  count += 1;
  return `test${count}`;
}

async function close(): Promise<void> {
  for (const store of opened.splice(0)) await store.close?.();
}

describe.skipIf(inject("missingTools").includes("redis-server"))("redisStore", () => {
  describe("on one server", () => {
    let redis: RedisServer;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterEach(close);
    afterAll(async () => {
      await endPrograms();
      await removeScratchFolders();
    });

    const fresh = (): RedisStore => redisStore({ url: redis.url, prefix: freshPrefix() });
    describeLocationStore("redisStore", fresh, { describe, it });
    describeSharedLocationStore(
      "redisStore",
      () => {
        const options = { url: redis.url, prefix: freshPrefix() };
        return [redisStore(options), redisStore(options)];
      },
      { describe, it },
    );

    it("has keys that end by themselves, a minute after the last binding", async () => {
      const store = open({ url: redis.url, prefix: "ends" });
      const end = Date.now() + 10_000;
      await store.update(ALICE, () => [
        sampleBinding(1, { expiresAt: end }),
        sampleBinding(2, { expiresAt: end - 5000 }),
      ]);
      const goes = await redisCommand(redis, "PEXPIRETIME", `ends:{=${ALICE}}`);
      expect(Number(goes)).toBe(end + 60_000);
    });

    it("remembers a user without bindings for a time", async () => {
      const store = open({ url: redis.url, prefix: "departed", rememberFor: 1 });
      await refresh(store);
      await store.update(ALICE, () => []);
      expect(await store.read(ALICE)).toEqual([]);
      const forgotten = async (): Promise<void> => expect(await store.read(ALICE)).toBeUndefined();
      await eventually(forgotten);
      expect(await redisCommand(redis, "--scan", "--pattern", "departed:*")).toBe("");
    });

    it("has the index forget whose key has ended", async () => {
      const store = open({ url: redis.url, prefix: "gone" });
      await refresh(store);
      await redisCommand(redis, "DEL", `gone:{=${ALICE}}`);
      expect(await store.list({ limit: 10 })).toEqual({ users: [] });
      expect(await store.expire(sampleBinding(1).expiresAt, 10)).toEqual([]);
      expect(await store.nextExpiry()).toBeUndefined();
    });

    it("takes a server that has forgotten its scripts", async () => {
      const store = open({ url: redis.url, prefix: "scripts" });
      await refresh(store);
      await redisCommand(redis, "SCRIPT", "FLUSH");
      expect(await refresh(store)).toBe(2);
      await redisCommand(redis, "SCRIPT", "FLUSH");
      // Who is new needs the index's, too.
      expect(await refresh(store, "sip:bob@example.com")).toBe(1);
      await redisCommand(redis, "SCRIPT", "FLUSH");
      expect(await store.expire(sampleBinding(1).expiresAt, 10)).toHaveLength(2);
    });

    it("connects again when its connections are cut", async () => {
      const store = open({ url: redis.url, prefix: "cut" });
      await refresh(store);
      await redisCommand(redis, "CLIENT", "KILL", "TYPE", "normal");
      expect(await eventually(() => refresh(store))).toBe(2);
    });

    it("reads what the first version has written, and goes on with it", async () => {
      // Text for text as it was written then, the index with it: never to be changed.
      const end = 4_102_488_060_000;
      const binding =
        `{"uri":"sip:alice@192.0.2.7","params":";q=0.5","q":0.5,"expiresAt":${end},"callId":"c","cseq":7,"digest":-1,` +
        '"path":["<sip:p;lr>"],"flow":{"node":"a","epoch":"1","protocol":"tcp","local":"192.0.2.1:5060",' +
        '"remote":"192.0.2.7:1024","connection":3},"userAgent":"phone"}';
      const key = "first:{=sip:alice@example.com}";
      await redisCommand(redis, "SET", key, `5f0e.1\n[${end},[${binding}]]`);
      await redisCommand(redis, "ZADD", "first:ends:{15}", `${end}`, "=sip:alice@example.com");
      await redisCommand(redis, "ZADD", "first:names:{15}", "0", "=sip:alice@example.com");
      const store = open({ url: redis.url, prefix: "first" });
      expect(await store.read(ALICE)).toEqual([JSON.parse(binding)]);
      expect((await store.list({ limit: 10 })).users).toHaveLength(1);
      await store.update(ALICE, (bindings) => [...bindings, sampleBinding(2)]);
      expect(await store.expire(end, 10)).toMatchObject([{ binding: { cseq: 7 } }, {}]);
      expect(await store.counts?.()).toEqual({ users: 0 });
    });

    it("says that a server without memory is full", async () => {
      const store = open({ url: redis.url, prefix: "full" });
      await redisCommand(redis, "CONFIG", "SET", "maxmemory", "1");
      await expect(refresh(store)).rejects.toMatchObject({ code: "SIP_STORE_FULL" });
      expect(await register(store)).toMatchObject(["503", "60", { registrationsStoreFull: 1 }]);
      expect(await store.read(ALICE)).toBeUndefined();
      expect(await redisCommand(redis, "--scan", "--pattern", "full:*")).toBe("");
      await redisCommand(redis, "CONFIG", "SET", "maxmemory", "0");
      expect(await refresh(store)).toBe(1);
    });
  });

  describe("on servers that end and stand still", () => {
    afterEach(async () => {
      await close();
      await endPrograms();
      await removeScratchFolders();
    });

    it("rejects at once while the server is down, and goes on when it is back", async () => {
      const redis = await startRedis();
      const store = open({ url: redis.url });
      expect(await refresh(store)).toBe(1);
      await redis.program.end("SIGKILL");
      await expect(refresh(store)).rejects.toMatchObject(UNAVAILABLE);
      await expect(store.read(ALICE)).rejects.toMatchObject(UNAVAILABLE);
      const again = await startRedis([], redis);
      expect(await eventually(() => refresh(store))).toBe(1);
      await again.program.end("SIGTERM");
    }, 60_000);

    it("rejects in time while the server stands still, and writes nothing by halves", async () => {
      const redis = await startRedis();
      const store = open({ url: redis.url, timeout: 300 });
      await store.update(ALICE, () => [sampleBinding(1), sampleBinding(2)]);
      redis.program.signal("SIGSTOP");
      const late = store.update(ALICE, () => [sampleBinding(3), sampleBinding(4)]);
      await expect(late).rejects.toMatchObject(UNAVAILABLE);
      redis.program.signal("SIGCONT");
      const kept = await eventually(() => store.read(ALICE));
      expect([[1, 2].join(), [3, 4].join()]).toContain(
        kept?.map(({ callId }) => /\d+/.exec(callId)?.[0]).join(),
      );
      await refresh(store);
    });

    it("says what it can't be reached for", async () => {
      const { port } = await startRedis(["--requirepass", "right"]);
      const wrong = open({ url: `redis://:wrong@127.0.0.1:${port}` });
      await expect(refresh(wrong)).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringMatching(/WRONGPASS/),
      });
      expect(await refresh(open({ url: `redis://:right@127.0.0.1:${port}` }))).toBe(1);
    });

    it("says so when what it takes for a cluster is none", async () => {
      const { url } = await startRedis();
      await expect(refresh(open({ cluster: [url] }))).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringMatching(/cluster support disabled/),
      });
    });

    it("has a REGISTER refused with 503, and counted, while the server stands still", async () => {
      const redis = await startRedis();
      const store = open({ url: redis.url, timeout: 500 });
      await refresh(store);
      redis.program.signal("SIGSTOP");
      expect(await register(store)).toMatchObject(["503", "5", { storeUnavailable: 1 }]);
    });

    it("has a REGISTER refused with 503, and counted, while too many commands wait", async () => {
      const redis = await startRedis();
      const store = open({ url: redis.url, timeout: 60_000 });
      await refresh(store);
      redis.program.signal("SIGSTOP");
      const many = Promise.allSettled(Array.from({ length: 10_001 }, () => store.read(ALICE)));
      expect(await register(store)).toMatchObject(["503", "5", { storeUnavailable: 1 }]);
      await close();
      expect(new Set((await many).map(({ status }) => status))).toEqual(new Set(["rejected"]));
    });

    it("starts before its server", async () => {
      const first = await startRedis();
      await first.program.end("SIGKILL");
      const store = open({ url: first.url });
      await expect(refresh(store)).rejects.toMatchObject(UNAVAILABLE);
      await startRedis([], first);
      expect(await eventually(() => refresh(store))).toBe(1);
    });

    it("acknowledges what a replica has, and nothing while none is there", async () => {
      const master = await startRedis();
      const replica = await startRedis(["--replicaof", "127.0.0.1", `${master.port}`]);
      const store = open({ url: master.url, replicas: 1, timeout: 1000 });
      expect(await eventually(() => refresh(store))).toBeGreaterThan(0);
      const many = Array.from({ length: 50 }, (_, user) => refresh(store, `user${user}`));
      expect(new Set(await Promise.all(many))).toEqual(new Set([1]));
      const onReplica = open({ url: replica.url });
      expect((await onReplica.read("user49"))?.[0]?.cseq).toBe(1);

      await replica.program.end("SIGKILL");
      await expect(refresh(store)).rejects.toMatchObject(UNAVAILABLE);
      // Look-ups don't wait behind it.
      const late = refresh(store);
      expect((await store.read("user49"))?.[0]?.cseq).toBe(1);
      await expect(late).rejects.toMatchObject(UNAVAILABLE);
    });

    it("follows the sentinels to the replica that took over, and has all that was acknowledged", async () => {
      const master = await startRedis();
      const follow = ["--replicaof", "127.0.0.1", `${master.port}`];
      await startRedis(follow);
      const second = await startRedis(follow);
      const sentinel = await startSentinel(master);
      const store = open({
        sentinel: { urls: [sentinel.url], name: "main" },
        replicas: 1,
        timeout: 1000,
      });
      await eventually(() => refresh(store));
      await sentinel.program.printed(new RegExp(`\\+slave slave 127.0.0.1:${second.port}`), 20_000);

      const users = Array.from({ length: 20 }, (_, user) => `user${user}`);
      const writers = new Writers(store, users);
      await sleep(500);
      await master.program.end("SIGKILL");
      await sentinel.program.printed(/\+switch-master/, 30_000);
      await eventually(() => refresh(store, "after"));
      await sleep(300);
      await writers.stop();
      expect(writers.acknowledged.size).toBe(20);
      await expectKept(store, writers.acknowledged);
    }, 90_000);
  });
});
