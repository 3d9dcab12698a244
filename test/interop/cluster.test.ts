import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { Message, Outgoing } from "./cluster-message.ts";
import { ClusterPhone } from "./cluster-phone.ts";
import {
  type ClusterNode,
  makeNodes,
  type Redis,
  startReplicatedRedis,
} from "./cluster-servers.ts";
import type { Place } from "./cluster-wire.ts";
import { endPrograms, Program } from "./program.ts";
import { digest } from "./raw-phone.ts";
import { eventually } from "./redis.ts";
import { removeScratchFolders } from "./scratch.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const OLD = "old".repeat(11);
const NEW = "new".repeat(11);
/** Each test has its own. */
const USERS = ["alice", "bob", "carol", "dave", "eve", "frank", "gina", "hank", "ivy"];

const phones: ClusterPhone[] = [];
async function phone(user: string, protocol: "tcp" | "udp", node: Place): Promise<ClusterPhone> {
  const made = new ClusterPhone(user, protocol);
  phones.push(made);
  await made.connect(node);
  return made;
}

async function registered(
  user: string,
  protocol: "tcp" | "udp",
  node: Place,
): Promise<ClusterPhone> {
  const made = await phone(user, protocol, node);
  expect(statuses(await made.register())).toEqual([401, 200]);
  return made;
}

function statuses(answers: readonly { readonly status: number }[]): readonly number[] {
  return answers.map(({ status }) => status);
}

describe.skipIf(inject("missingTools").includes("redis-server"))("examples/cluster", () => {
  let redis: Redis;
  let a: ClusterNode;
  let b: ClusterNode;
  beforeAll(async () => {
    redis = await startReplicatedRedis();
    ({ a, b } = await makeNodes(redis, USERS));
    await Promise.all([a.start(OLD), b.start(OLD)]);
  }, 60_000);
  afterEach(() => {
    for (const each of phones.splice(0)) each.close();
  });
  afterAll(async () => {
    redis.store.close();
    await endPrograms();
    await removeScratchFolders();
  });

  it.each(["tcp", "udp"] as const)(
    "calls a phone at one node, over TCP, from a phone at the other, over %s, and back",
    async (protocol) => {
      const alice = await registered("alice", "tcp", a);
      const bob = await registered("bob", protocol, b);
      expect(await bob.call("alice")).toContain(180);
      expect(await bob.call("alice", "callee")).toContain(180);
      expect(await alice.call("bob")).toContain(180);
      expect(await alice.call("bob", "callee")).toContain(180);
      expect([alice.acks, bob.acks]).toEqual([2, 2]);
    },
  );

  it("refuses at one node what was proved to the other, without asking anybody, and lets the phone in after one round more", async () => {
    const eve = await phone("eve", "udp", a);
    const [challenge] = await eve.register({ rounds: 0 });
    const authorization = digest(challenge as Message, { user: "eve", password: "secret" });
    expect(statuses(await eve.register({ authorization, rounds: 0 }))).toEqual([200]);

    await eve.connect(b);
    for (const { program } of redis.servers) program.signal("SIGSTOP");
    const [replayed] = await eve.register({ authorization, rounds: 0 });
    for (const { program } of redis.servers) program.signal("SIGCONT");
    expect(replayed?.status).toBe(401);
    expect(replayed?.one("WWW-Authenticate")).toContain("stale=true");
    expect(statuses(await eve.register({ authorization }))).toEqual([401, 200]);
    // What a node has never seen used is no better elsewhere.
    await eve.connect(a);
    const [unused] = await eve.register({ rounds: 0 });
    await eve.connect(b);
    const held = digest(unused as Message, { user: "eve", password: "secret" });
    const [refused] = await eve.register({ authorization: held, rounds: 0 });
    expect(refused?.one("WWW-Authenticate")).toContain("stale=true");
  });

  it("forgets a phone whose node has another life now, and tells its callers that she isn't there", async () => {
    const gina = await registered("gina", "tcp", a);
    const frank = await registered("frank", "tcp", b);
    await a.kill();
    const [binding] = (await redis.store.read("sip:gina@example.com")) ?? [];
    expect(binding?.cseq).toBe(gina.acknowledged);
    // Nobody can know whether that node comes back.
    await expect(frank.call("gina")).rejects.toThrow(/^gina isn't there: SIP\/2.0 500 /);
    expect(await redis.store.read("sip:gina@example.com")).toEqual([binding]);

    await a.start(OLD);
    const stranger = await phone("carol", "udp", a);
    const [path = ""] = binding?.path ?? [];
    expect((await stranger.send(options([`Route: ${path}`]))).status).toBe(430);
    await expect(frank.call("gina")).rejects.toThrow(/^gina isn't there: SIP\/2.0 480 /);
    await eventually(async () => {
      expect(await redis.store.read("sip:gina@example.com")).toEqual([]);
    });
  });

  it("calls a phone that has a flow to each node by the other one when a node is dead", async () => {
    const flows = [await phone("hank", "tcp", b), await phone("hank", "tcp", a)] as const;
    for (const [index, flow] of flows.entries()) {
      const answer = (await flow.register({ regId: index + 1 })).at(-1);
      expect(answer?.one("Require")).toBe("outbound");
    }
    const ivy = await registered("ivy", "udp", b);
    expect(await ivy.call("hank")).toContain(180);
    expect(flows.map(({ acks }) => acks)).toEqual([0, 1]);
    await a.kill();
    expect(await ivy.call("hank")).toContain(180);
    expect(flows.map(({ acks }) => acks)).toEqual([1, 1]);
    await a.start(OLD);
  });

  it("changes its secret while calls are up", async () => {
    const carol = await registered("carol", "udp", a);
    const dave = await registered("dave", "udp", b);
    const [challenge] = await carol.register({ rounds: 0 });
    const dialogs = [await dave.dial("carol"), await carol.dial("dave")];
    const restart = async (...secrets: readonly string[]): Promise<void> => {
      const again = async (node: ClusterNode): Promise<void> => {
        await node.stop();
        await node.start(...secrets);
      };
      await Promise.all([again(a), again(b)]);
    };
    await restart(NEW, OLD);
    const authorization = digest(challenge as Message, { user: "carol", password: "secret" });
    for (const { hangUp } of dialogs) await hangUp();
    // By the Paths that were signed with the old one.
    expect(await dave.call("carol", "callee")).toContain(180);
    expect(await carol.call("dave", "callee")).toContain(180);
    const [old, fresh] = await carol.register({ authorization });
    expect(old?.one("WWW-Authenticate")).toContain("stale=true");
    expect(fresh?.status).toBe(200);
    expect(statuses(await dave.register())).toEqual([401, 200]);
    await restart(NEW);
    expect(await dave.call("carol")).toContain(180);
    expect(await carol.call("dave")).toContain(180);
  });
});

describe.skipIf(inject("missingTools").includes("redis-server"))("examples/cluster/try.ts", () => {
  afterEach(async () => {
    for (const each of phones.splice(0)) each.close();
    await endPrograms();
  });

  it("starts a whole cluster, which goes on when a node is killed, and starts it again", async () => {
    const node = ["--conditions=@sipkit/source", "--import", "tsx", "examples/cluster/try.ts"];
    const program = new Program(process.execPath, node, { cwd: ROOT });
    const placeOf = async (name: string): Promise<Place> => {
      const line = await program.printed(
        new RegExp(`^${name}: listening on tcp:127.0.0.1:(\\d+)$`, "m"),
        60_000,
      );
      return { host: "127.0.0.1", port: Number(line[1]) };
    };
    const [first, second] = [await placeOf("a"), await placeOf("b")];
    const [alice, bob] = [await phone("alice", "tcp", first), await phone("bob", "udp", second)];
    for (const each of [alice, bob]) {
      await eventually(async () => expect((await each.register()).at(-1)?.status).toBe(200));
    }
    expect(await bob.call("alice")).toContain(180);
    const [, pid] = await program.printed(/^a: process (\d+)$/m);
    process.kill(Number(pid), "SIGKILL");
    await program.printed(/^a: ended by SIGKILL$/m);
    await alice.connect(second);
    expect((await alice.register()).at(-1)?.status).toBe(200);
    expect(await bob.call("alice")).toContain(180);
    await program.printed(/^a: ended by SIGKILL\n[\s\S]*^a: node a$/m, 60_000);
    expect(await program.end("SIGTERM")).toBe(0);
  });
});

function options(lines: readonly string[]): Outgoing {
  const carol = "<sip:carol@example.com>";
  const uri = "sip:gina@127.0.0.1";
  return {
    method: "OPTIONS",
    uri,
    from: `${carol};tag=1`,
    to: carol,
    callId: "430",
    cseq: 1,
    lines,
  };
}
