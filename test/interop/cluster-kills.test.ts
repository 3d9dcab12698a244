import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { Load, loadUsers } from "./cluster-load.ts";
import { ClusterPhone } from "./cluster-phone.ts";
import {
  type ClusterNode,
  knowsAll,
  makeNodes,
  masterPort,
  type Redis,
  startSentinelRedis,
} from "./cluster-servers.ts";
import { endPrograms } from "./program.ts";
import { eventually, type RedisServer, startRedis } from "./redis.ts";
import { removeScratchFolders } from "./scratch.ts";

/** How often each is killed: `CLUSTER_ROUNDS=10`. */
const ROUNDS = Number(process.env.CLUSTER_ROUNDS ?? 1);
const SECRET = "secret".repeat(6);
const rounds = Array.from({ length: ROUNDS }, (_, index) => index + 1);

describe.skipIf(inject("missingTools").includes("redis-server"))(
  "examples/cluster, killed under load",
  () => {
    let redis: Redis;
    let a: ClusterNode;
    let b: ClusterNode;
    let load: Load | undefined;
    const startLoad = async (): Promise<Load> => {
      load = new Load(a, b);
      await load.start();
      return load;
    };
    beforeAll(async () => {
      redis = await startSentinelRedis();
      ({ a, b } = await makeNodes(redis, [...loadUsers, "late"]));
      await Promise.all([a.start(SECRET), b.start(SECRET)]);
    }, 60_000);
    afterEach(() => load?.stop());
    afterAll(async () => {
      redis.store.close();
      await endPrograms();
      await removeScratchFolders();
    });

    it.each(rounds.flatMap((round) => ["a", "b"].map((name) => ({ name, round }))))(
      "loses nothing that was acknowledged when node $name is killed, and goes on, round $round",
      async ({ name }) => {
        const [dying, other] = name === "a" ? [a, b] : [b, a];
        const load = await startLoad();
        const at = performance.now();
        await dying.kill();
        load.redial();
        const acknowledged = load.acknowledged();
        expect(await load.lost(redis.store, acknowledged)).toEqual([]);
        const tcp = await load.flows(at, "t");
        const udp = await load.flows(at, "u");
        await load.accepts(at, other);

        const startsAt = performance.now();
        await dying.start(SECRET);
        const starts = await load.accepts(startsAt, dying);
        // It serves phones of its own again, whom the other one's can call.
        const late = new ClusterPhone("late", "tcp");
        await late.connect(dying);
        expect((await late.register()).at(-1)?.status).toBe(200);
        const caller = new ClusterPhone("t0", "udp");
        await caller.connect(other);
        expect(await caller.call("late")).toContain(180);
        expect(await late.call("t0")).toContain(180);
        late.close();
        caller.close();
        await load.flows(performance.now());
        expect(await load.lost(redis.store)).toEqual([]);
        tell(`kill -9 of ${name}`, { acknowledged: acknowledged.size, tcp, udp, starts });
      },
    );

    it.each(rounds)(
      "loses nothing that was acknowledged when Redis's master is killed, refuses meanwhile, and goes on, round %i",
      async () => {
        const load = await startLoad();
        const [sentinel] = redis.sentinels as readonly [RedisServer];
        const port = await masterPort(sentinel);
        const master = redis.servers.find((server) => server.port === port) as RedisServer;
        const refused = load.refusals.length;
        const at = performance.now();
        await master.program.end("SIGKILL");
        load.redial();
        const acknowledged = load.acknowledged();
        const accepts = await load.accepts(at + 200, a, b);
        const calls = await load.flows(at);
        // The old master comes back as a replica, for the next round.
        await eventually(async () => expect(await masterPort(sentinel)).not.toBe(port));
        const follow = ["--replicaof", "127.0.0.1", `${await masterPort(sentinel)}`];
        const again = await startRedis(follow, master);
        await again.program.printed(/sync: Finished with success/);
        redis.servers[redis.servers.indexOf(master)] = again;
        for (const each of redis.sentinels) await knowsAll(each);
        const refusals = load.refusals.slice(refused);
        expect(refusals.length).toBeGreaterThan(0);
        for (const refusal of refusals) {
          expect(refusal.text).toMatch(/^SIP\/2.0 503 /);
          expect(refusal.all("Retry-After")).toEqual([expect.stringMatching(/^[1-9]/)]);
        }
        expect(await load.lost(redis.store, acknowledged)).toEqual([]);
        await load.flows(performance.now());
        expect(await load.lost(redis.store)).toEqual([]);
        const refusedCount = refusals.length;
        tell("kill -9 of the master", {
          acknowledged: acknowledged.size,
          accepts: accepts + 200,
          calls,
          refusedCount,
        });
      },
    );

    it("refuses nothing when a replica is killed, and a sentinel", async () => {
      const load = await startLoad();
      const [first, second] = redis.sentinels as readonly [RedisServer, RedisServer];
      const port = await masterPort(second);
      const replica = redis.servers.find((server) => server.port !== port) as RedisServer;
      const at = performance.now();
      await Promise.all([replica, first].map(({ program }) => program.end("SIGKILL")));
      await load.flows(at);
      await load.accepts(performance.now(), a, b);
      expect(load.refusals.map(({ text }) => text)).toEqual([]);
      expect(await load.lost(redis.store)).toEqual([]);
    });
  },
);

/** Milliseconds, and counts. */
function tell(what: string, figures: Readonly<Record<string, number>>): void {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${Math.round(value)}`);
  process.stderr.write(`cluster: ${what}: ${words.join(", ")}\n`);
}
