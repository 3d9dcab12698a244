import { setTimeout as sleep } from "node:timers/promises";
import type { RedisStore } from "@sipkit/store-redis";
import { ClusterPhone } from "./cluster-phone.ts";
import type { ClusterNode } from "./cluster-servers.ts";
import { digest, RawPhone, type RawResponse } from "./raw-phone.ts";
import { eventually } from "./redis.ts";

/** Users who register once, one after the other, over all rounds of a test. */
const NEWCOMERS = 30_000;
const TCP_USERS = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"];
const UDP_USERS = ["u0", "u1"];
/** Who calls whom: each from one node to the other, while all are where they began. */
const PAIRS: readonly (readonly [caller: string, callee: string])[] = [
  ["t1", "t0"],
  ["t2", "t3"],
  ["t5", "t4"],
  ["t6", "t7"],
  ["u0", "u1"],
  ["u1", "u0"],
];

/** Everybody whom a load needs. */
export const loadUsers: readonly string[] = [
  ...TCP_USERS,
  ...UDP_USERS,
  ...Array.from({ length: NEWCOMERS }, (_, index) => `n${index}`),
];

/** How many of them have registered before something is killed. */
const WARM = 300;
let newcomers = 0;

/** A REGISTER that was answered 200. */
export interface Acknowledged {
  readonly callId: string;
  readonly cseq: number;
}

/** What became of a call. */
interface Call {
  readonly callee: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure: string | undefined;
}

/** Phones that register all the time with one of two nodes, and with the other when that one is gone, and that call one another. */
export class Load {
  readonly calls: Call[] = [];
  /** The answers to REGISTERs that were neither 200 nor a challenge. */
  readonly refusals: RawResponse[] = [];
  readonly #nodes: readonly [ClusterNode, ClusterNode];
  readonly #phones = new Map<string, ClusterPhone>();
  readonly #newcomers = new Map<string, Acknowledged>();
  /** When each node accepted a newcomer last. */
  readonly #acceptedAt = new Map<string, number>();
  readonly #running: Promise<void>[] = [];
  /** Who has closed a connection that worked, because an answer was late: that takes the registration along. */
  readonly #left = new Set<string>();
  #isOver = false;

  constructor(...nodes: readonly [ClusterNode, ClusterNode]) {
    this.#nodes = nodes;
    for (const user of TCP_USERS) this.#phones.set(user, new ClusterPhone(user, "tcp"));
    for (const user of UDP_USERS) this.#phones.set(user, new ClusterPhone(user, "udp"));
  }

  /** Starts everything, and settles when each pair has had a call, and some hundred users have registered. */
  async start(): Promise<void> {
    let home = 0;
    for (const phone of this.#phones.values()) {
      this.#running.push(this.#keepRegistered(phone, home));
      home = 1 - home;
    }
    await inTheEnd(() => {
      if ([...this.#phones.values()].some(({ acknowledged }) => acknowledged === 0)) {
        throw new Error("not all are registered");
      }
    });
    for (const [caller, callee] of PAIRS) this.#running.push(this.#keepCalling(caller, callee));
    for (const node of [...this.#nodes, ...this.#nodes]) {
      this.#running.push(this.#keepComing(node));
    }
    await this.flows(performance.now());
    await inTheEnd(() => {
      if (this.#newcomers.size < WARM) throw new Error("few have come");
    });
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const phone of this.#phones.values()) phone.close();
    await Promise.all(this.#running);
  }

  /** Has everybody dial again who waits for somebody. */
  redial(): void {
    for (const phone of this.#phones.values()) phone.giveUp();
  }

  /**
   * Settles when each callee whose name begins so has answered a call that began after a time; gives how long after it
   * the last of them did.
   */
  async flows(since: number, kind = ""): Promise<number> {
    const callees = PAIRS.map(([, callee]) => callee).filter((callee) => callee.startsWith(kind));
    const first = (callee: string): number | undefined =>
      this.calls.find(
        (call) => call.callee === callee && call.failure === undefined && call.startedAt >= since,
      )?.endedAt;
    return inTheEnd(() => {
      const times = callees.map(first);
      if (times.includes(undefined)) throw new Error(this.#tell(since));
      return Math.max(...times.map((time) => time ?? 0)) - since;
    });
  }

  /** Settles when nodes have accepted a newcomer after a time; gives how long after it. */
  async accepts(since: number, ...nodes: readonly ClusterNode[]): Promise<number> {
    return inTheEnd(() => {
      const times = nodes.map(({ name }) => this.#acceptedAt.get(name) ?? 0);
      if (times.some((time) => time < since)) throw new Error("nobody new is let in");
      return Math.max(...times) - since;
    });
  }

  /** What was answered 200 until now, by user: of each the last. */
  acknowledged(): ReadonlyMap<string, Acknowledged> {
    const all = new Map(this.#newcomers);
    for (const { user, callId, acknowledged: cseq } of this.#phones.values()) {
      if (cseq > 0) all.set(user, { callId, cseq });
    }
    return all;
  }

  /** Those whose registrations a store doesn't have, though they were answered 200, and not taken back since. */
  async lost(
    store: RedisStore,
    acknowledged: ReadonlyMap<string, Acknowledged> = this.acknowledged(),
  ): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const [user, { callId, cseq }] of acknowledged) {
      const bindings = await eventually(() => store.read(`sip:${user}@example.com`));
      // Registered again since: the same call, with a higher number.
      const isThere = bindings?.some((each) => each.callId === callId && each.cseq >= cseq);
      if (!isThere && !this.#left.has(user))
        lost.push(`${user} ${cseq}: ${JSON.stringify(bindings)}`);
    }
    return lost;
  }

  async #keepRegistered(phone: ClusterPhone, home: number): Promise<void> {
    let at = home;
    while (!this.#isOver) {
      try {
        if (!phone.isConnected) await phone.connect(this.#nodes[at] as ClusterNode);
        const answer = (await phone.register()).at(-1);
        if (answer !== undefined && answer.status !== 200) this.refusals.push(answer);
        await sleep(300);
      } catch {
        if (phone.isConnected) {
          this.#left.add(phone.user);
          phone.acknowledged = 0;
        }
        // What a phone does whose connection is lost, or whose server says nothing: it takes the next one.
        at = 1 - at;
        phone.close();
        await sleep(100);
      }
    }
  }

  async #keepCalling(caller: string, callee: string): Promise<void> {
    while (!this.#isOver) {
      const startedAt = performance.now();
      let failure: string | undefined;
      try {
        const whoHangsUp = this.calls.length % 2 === 0 ? "caller" : "callee";
        await this.#phones.get(caller)?.call(callee, whoHangsUp);
      } catch (error) {
        failure = String(error);
      }
      this.calls.push({ callee, startedAt, endedAt: performance.now(), failure });
      await sleep(100);
    }
  }

  async #keepComing(node: ClusterNode): Promise<void> {
    const phone = await RawPhone.open(node);
    while (!this.#isOver && newcomers < NEWCOMERS) {
      const user = `n${newcomers}`;
      newcomers += 1;
      const request = { user, callId: user, contact: `sip:${user}@${phone.address}` };
      try {
        const challenge = await phone.register({ ...request, cseq: 1 });
        const authorization = digest(challenge, { user, password: "secret" });
        const answer = await phone.register({ ...request, cseq: 2, authorization });
        if (answer.status === 200) {
          this.#newcomers.set(user, { callId: user, cseq: 2 });
          this.#acceptedAt.set(node.name, performance.now());
        } else this.refusals.push(answer);
      } catch {
        // The node is dead.
      }
      await sleep(20);
    }
    phone.close();
  }

  #tell(since: number): string {
    const late = this.calls.filter(({ startedAt }) => startedAt >= since);
    const failures = late.map(({ callee, failure }) => `${callee}: ${failure ?? "answered"}`);
    return `no call to some since ${since}:\n${failures.slice(-20).join("\n")}`;
  }
}

/** Asks again until nothing is thrown: for a minute, since the machine may have other things to do. */
async function inTheEnd<T>(ask: () => T): Promise<T> {
  const end = performance.now() + 60_000;
  for (;;) {
    try {
      return ask();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(50);
    }
  }
}
