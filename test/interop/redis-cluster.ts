import { freePort } from "./free-port.ts";
import { eventually, type RedisServer, redisCommand, startRedis } from "./redis.ts";

const SLOTS = 16_384;

/** Milliseconds after which the nodes take one that is mute for dead: not while the machine is merely busy. */
const NODE_TIMEOUT = 30_000;
const SHORT_NODE_TIMEOUT = 1000;

/** A node of a cluster of the test's own. */
export interface ClusterNode extends RedisServer {
  readonly settings: readonly string[];
  /** Its name in the cluster. */
  readonly id: string;
}

/** Masters, each with so many slots, and a replica for each. */
export interface RedisCluster {
  readonly masters: readonly ClusterNode[];
  /** The one at an index follows the master of that index. */
  readonly replicas: readonly ClusterNode[];
}

/** Starts a cluster, and waits until each of its nodes has all slots covered and each replica has what its master has. */
export async function startCluster(masterCount: number): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: 2 * masterCount }, startNode));
  const masters = nodes.slice(0, masterCount);
  const replicas = nodes.slice(masterCount);
  const [first] = masters as [ClusterNode];
  for (const [index, node] of masters.entries()) {
    const from = Math.ceil((index * SLOTS) / masterCount);
    const to = Math.ceil(((index + 1) * SLOTS) / masterCount) - 1;
    await redisCommand(node, "CLUSTER", "ADDSLOTSRANGE", `${from}`, `${to}`);
  }
  for (const [index, node] of nodes.entries()) {
    // Each one an epoch of its own, so that they needn't agree on them.
    await redisCommand(node, "CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`);
    if (node !== first) await meet(node, first);
  }
  await eventually(() => Promise.all(nodes.map((node) => expectKnown(node, nodes.length))));
  for (const [index, node] of replicas.entries()) {
    await redisCommand(node, "CLUSTER", "REPLICATE", masters[index]?.id ?? "");
  }
  await eventually(() => Promise.all(nodes.map(expectUp)));
  await eventually(() => Promise.all(replicas.map(expectLinked)));
  return { masters, replicas };
}

/** Moves a slot with all that is in it from one master to another, as `redis-cli --cluster reshard` does; `between` runs half-way. */
export async function moveSlot(
  slot: number,
  from: ClusterNode,
  to: ClusterNode,
  between: () => Promise<unknown>,
): Promise<void> {
  await redisCommand(to, "CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", from.id);
  await redisCommand(from, "CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", to.id);
  await between();
  for (;;) {
    const found = await redisCommand(from, "CLUSTER", "GETKEYSINSLOT", `${slot}`, "100");
    const keys = found.split("\n").filter((key) => key !== "");
    if (keys.length === 0) break;
    await redisCommand(
      from,
      "MIGRATE",
      "127.0.0.1",
      `${to.port}`,
      "",
      "0",
      "5000",
      "KEYS",
      ...keys,
    );
    await between();
  }
  await redisCommand(to, "CLUSTER", "SETSLOT", `${slot}`, "NODE", to.id);
  await redisCommand(from, "CLUSTER", "SETSLOT", `${slot}`, "NODE", to.id);
}

/** Ends a master by SIGKILL, and has the other nodes notice it soon. */
export async function killMaster(
  { masters, replicas }: RedisCluster,
  index: number,
): Promise<void> {
  const others = [...masters, ...replicas].filter((node) => node !== masters[index]);
  const timeout = ["cluster-node-timeout", `${SHORT_NODE_TIMEOUT}`];
  await Promise.all(others.map((node) => redisCommand(node, "CONFIG", "SET", ...timeout)));
  await masters[index]?.program.end("SIGKILL");
}

/** Starts a node again, which has forgotten everything but its part in the cluster. */
export async function restartNode(node: ClusterNode): Promise<ClusterNode> {
  return { ...node, ...(await startRedis(node.settings, node)) };
}

async function startNode(): Promise<ClusterNode> {
  const settings = ["--cluster-enabled", "yes", "--cluster-port", `${await freePort()}`];
  settings.push("--cluster-node-timeout", `${NODE_TIMEOUT}`);
  // Users of masters that live are served while another one is dead.
  settings.push("--cluster-require-full-coverage", "no");
  const server = await startRedis(settings);
  return { ...server, settings, id: await redisCommand(server, "CLUSTER", "MYID") };
}

async function meet(node: ClusterNode, other: ClusterNode): Promise<void> {
  const busPort = /:\d+@(\d+)/.exec(await redisCommand(other, "CLUSTER", "NODES"))?.[1] ?? "";
  await redisCommand(node, "CLUSTER", "MEET", "127.0.0.1", `${other.port}`, busPort);
}

async function expectKnown(node: ClusterNode, count: number): Promise<void> {
  const lines = (await redisCommand(node, "CLUSTER", "NODES")).split("\n");
  const isKnown = lines.length === count && lines.every((line) => line.includes(" connected"));
  if (!isKnown) throw node.program.failure(`knows ${lines.length} of ${count} nodes`);
}

async function expectUp(node: ClusterNode): Promise<void> {
  const info = await redisCommand(node, "CLUSTER", "INFO");
  if (!info.includes("cluster_state:ok")) throw node.program.failure(info);
}

async function expectLinked(replica: ClusterNode): Promise<void> {
  const info = await redisCommand(replica, "INFO", "replication");
  if (!info.includes("master_link_status:up")) throw replica.program.failure(info);
}
