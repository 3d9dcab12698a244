/**
 * What a registration costs with each store, and how soon a server is ready again.
 *
 *   npx tsx --conditions=@sipkit/source bench/stores.ts
 *
 * Real REGISTERs, a user each, go through `Request.parse` and the registrar's `receive` into the store, so many at a
 * time, without a network. Processor time is that of this process, all its threads; Redis has its own beside it. The
 * restart opens a store that has all users' bindings, and asks for the first and for one of them.
 */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Dispatcher, type FlowRef, Request, type Server, systemClock } from "@sipkit/core";
import { type LocationStore, memoryStore, Registrar } from "@sipkit/registrar";
import { lmdbStore } from "@sipkit/store-lmdb";
import { redisStore } from "@sipkit/store-redis";
import { type Redis, startRedis } from "./servers/redis.ts";
import { number, printTable } from "./table.ts";

const USERS = 100_000;
const REFRESHES = 50_000;
/** REGISTERs that are under way at once. */
const AT_ONCE = 200;

interface Contestant {
  readonly name: string;
  readonly open: () => LocationStore;
  /** The store's own process. */
  readonly process?: ChildProcess;
  readonly keeps: boolean;
}

interface Round {
  readonly perSecond: number;
  /** Processor time of a registration in µs: of this process, and of the store's own. */
  readonly own: number;
  readonly others: number;
}

export interface StoreFigures {
  readonly name: string;
  readonly first: Round;
  readonly refresh: Round;
  /** Milliseconds until a server has opened it again with all users; left out where it forgets them. */
  readonly restart: number | undefined;
}

/** Runs the benchmark and prints its table. */
export async function run(): Promise<readonly StoreFigures[]> {
  console.log(
    `\nstores: ${number(USERS)} users register, then refresh ${number(REFRESHES)} times, ${AT_ONCE} at a time`,
  );
  const folder = mkdtempSync(join(tmpdir(), "sipkit-stores-"));
  const redis = await startRedis(folder);
  try {
    const figures: StoreFigures[] = [];
    for (const each of contestants(folder, redis)) figures.push(await measure(each));
    report(figures);
    return figures;
  } finally {
    redis?.process.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function contestants(folder: string, redis: Redis | undefined): readonly Contestant[] {
  const path = join(folder, "lmdb");
  return [
    { name: "memory", open: () => memoryStore(), keeps: false },
    { name: "lmdb", open: () => lmdbStore({ path }), keeps: true },
    ...(redis === undefined
      ? []
      : [
          {
            name: "redis",
            open: () => redisStore({ url: redis.url }),
            process: redis.process,
            keeps: true,
          },
        ]),
  ];
}

async function measure({ name, open, process, keeps }: Contestant): Promise<StoreFigures> {
  const phones = new Phones(open());
  const everybody = Array.from({ length: USERS }, (_, user) => user);
  const first = await phones.register(everybody, process);
  // In an order that no cache foresees, the same in each run.
  const some = Array.from({ length: REFRESHES }, (_, index) => (index * 2_654_435_761) % USERS);
  const refresh = await phones.register(some, process);
  await phones.close();
  return { name, first, refresh, restart: keeps ? await restart(open) : undefined };
}

async function restart(open: () => LocationStore): Promise<number> {
  const started = performance.now();
  const phones = new Phones(open());
  await phones.ready;
  if ((await phones.bindings("user0099999")) !== 1) throw new Error("a binding was lost");
  const took = performance.now() - started;
  await phones.close();
  return took;
}

/** Phones of a registrar without a network: its requests are put into its hands. */
class Phones {
  readonly ready: unknown;
  readonly #registrar: Registrar;
  #turn = 0;

  constructor(store: LocationStore) {
    this.#registrar = new Registrar({ maxExpires: 86_400, store });
    const dispatcher = new Dispatcher({ legs: ["udp:192.0.2.1:5060"], domains: ["example.com"] });
    const local = "192.0.2.1:5060";
    const flow: FlowRef = { node: "bench", epoch: "1", protocol: "udp", local, remote: local };
    const server: Partial<Server> = {
      clock: systemClock,
      random: dispatcher.random,
      domains: dispatcher.domains,
      isLocal: (uri) => dispatcher.isLocal(uri),
      addressOfRecord: (uri) => dispatcher.addressOfRecord(uri),
      flowOf: () => flow,
    };
    this.ready = this.#registrar.start(server as Server);
  }

  async bindings(user: string): Promise<number> {
    return (await this.#registrar.query(`sip:${user}@example.com`)).length;
  }

  async close(): Promise<void> {
    await this.#registrar.close();
  }

  async register(users: readonly number[], other: ChildProcess | undefined): Promise<Round> {
    this.#turn += 1;
    const before = process.cpuUsage();
    const othersBefore = processorTime(other);
    const started = performance.now();
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < users.length) {
        const user = users[next] as number;
        next += 1;
        const answer = await this.#registrar.receive(Request.parse(this.#requestOf(user, next)));
        if (typeof answer !== "object" || answer.status !== 200) throw new Error("it failed");
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const took = performance.now() - started;
    const { user, system } = process.cpuUsage(before);
    return {
      perSecond: (1000 * users.length) / took,
      own: (user + system) / users.length,
      others: (processorTime(other) - othersBefore) / users.length,
    };
  }

  #requestOf(user: number, cseq: number): Buffer {
    const name = `user${String(user).padStart(7, "0")}`;
    const address = `10.${(user >> 16) & 255}.${(user >> 8) & 255}.${user & 255}`;
    const unique = `${user}-${cseq}-${this.#turn}`;
    return Buffer.from(
      [
        "REGISTER sip:example.com SIP/2.0",
        `Via: SIP/2.0/UDP ${address}:5060;branch=z9hG4bK-${unique};rport=5060;received=${address}`,
        "Max-Forwards: 70",
        `From: <sip:${name}@example.com>;tag=${unique}`,
        `To: <sip:${name}@example.com>`,
        `Call-ID: ${name}-5f3a9c1e77d24b@${address}`,
        `CSeq: ${this.#turn * 1_000_000 + cseq} REGISTER`,
        `Contact: <sip:${name}@${address}:5060;transport=udp;ob>;expires=3600`,
        "User-Agent: Example Phone T46 66.86.0.15",
        "Content-Length: 0",
        "",
        "",
      ].join("\r\n"),
      "latin1",
    );
  }
}

/** Processor time of another process since its start, in µs. Linux alone tells it so; its clock ticks are 10 ms. */
function processorTime(child: ChildProcess | undefined): number {
  if (child === undefined) return 0;
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
  return (Number(fields?.[11]) + Number(fields?.[12])) * 10_000;
}

function report(figures: readonly StoreFigures[]): void {
  const round = ({ perSecond, own, others }: Round): readonly string[] => [
    number(perSecond),
    number(1e6 / own),
    number(own, 1),
    others === 0 ? "–" : number(others, 1),
  ];
  const columns = ["per second", "per CPU second", "µs each", "µs of the store"];
  for (const [title, of] of [
    ["first registration", (each: StoreFigures) => each.first],
    ["refresh", (each: StoreFigures) => each.refresh],
  ] as const) {
    printTable(
      [title, ...columns],
      figures.map((each) => [each.name, ...round(of(each))]),
    );
  }
  for (const { name, restart } of figures) {
    if (restart !== undefined) console.log(`  ${name}: ready again in ${number(restart)} ms`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run();
