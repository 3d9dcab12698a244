import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RedisStore, redisStore } from "@sipkit/store-redis";
import type { Place } from "./cluster-wire.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import { md5 } from "./raw-phone.ts";
import { type RedisServer, redisCommand, startRedis } from "./redis.ts";
import { scratchFolder } from "./scratch.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** The name of the sentinels' group. */
const GROUP = "main";

/** A process of examples/cluster, on UDP and TCP of one port, which it keeps when it starts again. */
export class ClusterNode implements Place {
  readonly host = "127.0.0.1";
  readonly name: string;
  readonly port: number;
  readonly #args: readonly string[];
  #program: Program | undefined;

  constructor(name: string, port: number, args: readonly string[]) {
    this.name = name;
    this.port = port;
    this.#args = args;
  }

  /** `secrets`: the key ring, the newest first. */
  async start(...secrets: readonly string[]): Promise<void> {
    const address = `127.0.0.1:${this.port}`;
    const listen = ["tcp", "udp"].flatMap((protocol) => ["--listen", `${protocol}:${address}`]);
    const node = ["--conditions=@sipkit/source", "--import", "tsx", "examples/cluster/main.ts"];
    this.#program = new Program(
      process.execPath,
      [...node, "--node", this.name, ...listen, ...this.#args],
      { cwd: ROOT, env: { SIPKIT_SECRET: secrets.join() } },
    );
    await this.#program.printed(/registrations are kept in/, 60_000);
  }

  /** kill -9 */
  async kill(): Promise<void> {
    await this.#program?.end("SIGKILL");
  }

  /** Ends it as an operator does, and fails unless it ended well. */
  async stop(): Promise<void> {
    const exit = await this.#program?.end("SIGTERM");
    if (exit !== 0) throw this.#program?.failure(`ended with ${exit}`);
  }
}

/** A master of Redis with replicas, and sentinels where there are some. */
export interface Redis {
  /** What `--store` says. */
  readonly choice: string;
  /** Those that run, the first master first. */
  readonly servers: RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** The test's own way to look into the store. */
  readonly store: RedisStore;
}

/** Starts a master and two replicas, which three sentinels watch: two of them must agree that it is dead. */
export async function startSentinelRedis(): Promise<Redis> {
  const servers = await startReplicated(2);
  const master = servers[0] as RedisServer;
  const sentinels = await Promise.all([1, 2, 3].map(() => startQuorumSentinel(master)));
  const urls = sentinels.map(({ url }) => url);
  for (const sentinel of sentinels) await knowsAll(sentinel);
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join();
  const store = redisStore({ sentinel: { urls, name: GROUP } });
  return { choice: `sentinel:${GROUP}@${hosts}`, servers, sentinels, store };
}

/** Starts a master with one replica. */
export async function startReplicatedRedis(): Promise<Redis> {
  const servers = await startReplicated(1);
  const { url } = servers[0] as RedisServer;
  return { choice: url, servers, sentinels: [], store: redisStore({ url }) };
}

async function startReplicated(replicas: number): Promise<RedisServer[]> {
  const master = await startRedis();
  const follow = ["--replicaof", "127.0.0.1", `${master.port}`];
  const servers = [master];
  for (let count = 0; count < replicas; count += 1) servers.push(await startRedis(follow));
  for (const { program } of servers.slice(1)) await program.printed(/sync: Finished with success/);
  return servers;
}

async function startQuorumSentinel(master: RedisServer): Promise<RedisServer> {
  const port = await freePort();
  const folder = await scratchFolder();
  const file = join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor ${GROUP} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${GROUP} 500`,
    `sentinel failover-timeout ${GROUP} 5000`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const program = new Program("redis-server", [file, "--sentinel"]);
  await program.printed(/\+monitor master/);
  return { port, url: `redis://127.0.0.1:${port}`, program, folder };
}

/** Waits until a sentinel can have one of two replicas take over, with the votes of two others. */
export async function knowsAll(sentinel: RedisServer): Promise<void> {
  const flags = async (of: string): Promise<readonly string[]> => {
    const words = (await redisCommand(sentinel, "SENTINEL", of, GROUP)).split(/\r?\n/);
    return words.filter((_, index) => words[index - 1] === "flags");
  };
  for (;;) {
    const [replicas, sentinels] = await Promise.all([flags("REPLICAS"), flags("SENTINELS")]);
    const isReady =
      replicas.filter((each) => each === "slave").length === 2 &&
      sentinels.filter((each) => each === "sentinel").length === 2;
    if (isReady) return;
    await sleep(100);
  }
}

/** The port of the master that a sentinel names. */
export async function masterPort(sentinel: RedisServer): Promise<number> {
  const reply = await redisCommand(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP);
  return Number(reply.split(/\r?\n/)[1]);
}

/** Writes an htdigest file; everybody's password is `secret`. */
async function htdigestOf(users: readonly string[]): Promise<string> {
  const file = join(await scratchFolder(), "users");
  const lines = users.map((user) => `${user}:example.com:${md5(`${user}:example.com:secret`)}`);
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}

/** Two nodes, `a` and `b`, which have not started. */
export async function makeNodes(
  { choice }: Pick<Redis, "choice">,
  users: readonly string[],
): Promise<{ readonly a: ClusterNode; readonly b: ClusterNode }> {
  const args = ["--store", choice, "--htdigest", await htdigestOf(users)];
  const make = async (name: string): Promise<ClusterNode> =>
    new ClusterNode(name, await freePort(), args);
  return { a: await make("a"), b: await make("b") };
}
