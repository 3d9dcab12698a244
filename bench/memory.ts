/**
 * What a binding costs in memory, and whether a registration costs the same when there are many.
 *
 *   npx tsx --conditions=@sipkit/source bench/memory.ts
 *
 * Real REGISTERs, a user each, go through `Request.parse` and the registrar's `receive` into its memory store. Each
 * size has a process of its own, so that one heap doesn't carry another's collector; the smallest and the largest take
 * turns, so that what else the machine does weighs on both.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Dispatcher, type FlowRef, Request, type Server, systemClock } from "@sipkit/core";
import { memoryStore, Registrar } from "@sipkit/registrar";
import { median } from "./statistics.ts";
import { number, printTable, spread } from "./table.ts";

const MOST_BYTES = 1200;
const MOST_SLOWDOWN = 1.3;

const FEW = 1000;
const MANY = 1_000_000;
const SIZES = [FEW, 100_000, MANY] as const;
const ROUNDS = 15;
const REGISTRATIONS_A_ROUND = 20_000;
const BATCH = 500;
const WARM_USERS = 5000;
const WARM_TURNS = 6;

interface SizeFigures {
  readonly bindings: number;
  /** All that the process's heap and its array buffers grew by, divided by the bindings. */
  readonly bytesPerBinding: number;
  /** What its resident memory grew by, divided by the bindings: with the collector's own room. */
  readonly residentPerBinding: number;
  /** Processor time of a registration of somebody new while the store was filled, all threads, in µs. */
  readonly newMicroseconds: number;
}

export interface MemoryFigures {
  readonly sizes: readonly SizeFigures[];
  /** Processor time of a refresh by a user at random, all threads, in µs: the median of the rounds. */
  readonly refreshMicroseconds: { readonly few: number; readonly many: number };
  /** The refresh among many over that among few, by their medians: a round alone feels what else the machine does. */
  readonly slowdown: number;
}

/** Runs the benchmark and prints its table. */
export async function run(): Promise<MemoryFigures> {
  console.log("\nmemory: bindings in the registrar's memory store, one per user");
  const sizes: SizeFigures[] = [];
  const refreshes = new Map<number, number[]>();
  const children = new Map<number, ChildProcess>();
  try {
    for (const bindings of SIZES) {
      const child = fork(fileURLToPath(import.meta.url), [String(bindings)], {
        execArgv: ["--expose-gc", "--max-old-space-size=4096", ...process.execArgv],
      });
      children.set(bindings, child);
      sizes.push(await told<SizeFigures>(child));
      if (bindings !== FEW && bindings !== MANY) child.disconnect();
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const bindings of [FEW, MANY]) {
        const child = children.get(bindings) as ChildProcess;
        child.send(round);
        refreshes.set(bindings, [...(refreshes.get(bindings) ?? []), await told<number>(child)]);
      }
    }
  } finally {
    for (const child of children.values()) child.kill();
  }
  return report(sizes, refreshes.get(FEW) ?? [], refreshes.get(MANY) ?? []);
}

/** What a child says next. */
async function told<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const died = once(child, "exit", { signal: ended.signal }).then(
    () => {
      throw new Error("a measuring process ended early");
    },
    () => undefined as never,
  );
  try {
    const [message] = await Promise.race([once(child, "message"), died]);
    return message as T;
  } finally {
    ended.abort();
  }
}

function report(
  sizes: readonly SizeFigures[],
  few: readonly number[],
  many: readonly number[],
): MemoryFigures {
  printTable(
    ["bindings", "bytes each", "resident each", "µs a new one"],
    // Of a thousand, what the process needs once would be most.
    sizes
      .filter((figures) => figures.bindings !== FEW)
      .map((figures) => [
        number(figures.bindings),
        number(figures.bytesPerBinding),
        number(figures.residentPerBinding),
        number(figures.newMicroseconds, 1),
      ]),
  );
  const ratios = many.map((microseconds, round) => microseconds / (few[round] ?? Number.NaN));
  const refreshMicroseconds = { few: median(few), many: median(many) };
  const slowdown = refreshMicroseconds.many / refreshMicroseconds.few;
  const most = Math.max(...sizes.slice(1).map((figures) => figures.bytesPerBinding));
  console.log(`  bytes per binding: ${number(most)} at most, wanted ≤ ${number(MOST_BYTES)}`);
  console.log(`  µs a refresh among ${number(FEW)}: ${spread(refreshMicroseconds.few, few, 1)}`);
  console.log(`  µs a refresh among ${number(MANY)}: ${spread(refreshMicroseconds.many, many, 1)}`);
  console.log(`  ratio of medians: ${number(slowdown, 2)}, wanted ≤ ${MOST_SLOWDOWN}`);
  console.log(`  ratio round by round: ${spread(median(ratios), ratios, 2)}`);
  return { sizes, refreshMicroseconds, slowdown };
}

/** A registrar without a network: its requests are put into its hands. */
class Bench {
  readonly #registrar = new Registrar({ maxExpires: 86_400, store: memoryStore() });
  readonly #dispatcher = new Dispatcher({ legs: ["udp:192.0.2.1:5060"], domains: ["example.com"] });
  #remote = "";
  /** How often each user has registered. */
  readonly #turns: Uint32Array;

  constructor(users: number) {
    this.#turns = new Uint32Array(users);
    const { node, epoch, random } = this.#dispatcher;
    const server: Partial<Server> = {
      clock: systemClock,
      random,
      domains: this.#dispatcher.domains,
      isLocal: (uri) => this.#dispatcher.isLocal(uri),
      addressOfRecord: (uri) => this.#dispatcher.addressOfRecord(uri),
      // As the dispatcher does: its addresses are put together anew for each request.
      flowOf: (): FlowRef => {
        const local = `${"192.0.2.1"}:${5060}`;
        return { node, epoch, protocol: "udp", local, remote: `${this.#remote}:${5060}` };
      },
    };
    void this.#registrar.start(server as Server);
  }

  /** Registers these users, each with his next CSeq, and gives the processor time in µs, without making the texts. */
  register(users: readonly number[]): number {
    let spent = 0;
    for (let first = 0; first < users.length; first += BATCH) {
      const batch = users.slice(first, first + BATCH);
      const requests = batch.map((user) => this.#requestOf(user));
      const before = process.cpuUsage();
      for (const [index, bytes] of requests.entries()) {
        this.#remote = addressOf(batch[index] as number);
        const response = this.#registrar.receive(Request.parse(bytes));
        if (typeof response !== "object" || !("status" in response) || response.status !== 200) {
          throw new Error("a registration failed");
        }
      }
      const { user, system } = process.cpuUsage(before);
      spent += user + system;
    }
    return spent;
  }

  #requestOf(user: number): Buffer {
    const turn = (this.#turns[user] ?? 0) + 1;
    this.#turns[user] = turn;
    const name = `user${String(user).padStart(7, "0")}`;
    const address = addressOf(user);
    const unique = (user * 2_654_435_761 + turn).toString(16).padStart(12, "0");
    return Buffer.from(
      [
        "REGISTER sip:example.com SIP/2.0",
        `Via: SIP/2.0/UDP ${address}:5060;branch=z9hG4bK-${unique};rport=5060;received=${address}`,
        "Max-Forwards: 70",
        `From: "${name}" <sip:${name}@example.com>;tag=${unique}`,
        `To: "${name}" <sip:${name}@example.com>`,
        `Call-ID: ${name}-5f3a9c1e77d24b@${address}`,
        `CSeq: ${turn} REGISTER`,
        `Contact: <sip:${name}@${address}:5060;transport=udp;ob>;expires=3600`,
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, MESSAGE, INFO, UPDATE, PRACK",
        "Supported: replaces, timer, path",
        "User-Agent: Example Phone T46 66.86.0.15",
        "Content-Length: 0",
        "",
        "",
      ].join("\r\n"),
      "latin1",
    );
  }
}

function addressOf(user: number): string {
  return `10.${(user >> 16) & 255}.${(user >> 8) & 255}.${user & 255}`;
}

/** Memory that is in use, in bytes. */
function used(): { readonly heap: number; readonly resident: number } {
  for (let turn = 0; turn < 3; turn += 1) global.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

/** Fills a store, tells what that cost, and from then on refreshes at random whenever it is asked for a round. */
function serve(bindings: number): void {
  if (global.gc === undefined) throw new Error("run it with --expose-gc");
  // The code is compiled before anything is measured.
  const warm = new Bench(WARM_USERS);
  const some = Array.from({ length: WARM_USERS }, (_, user) => user);
  for (let turn = 0; turn < WARM_TURNS; turn += 1) warm.register(some);
  const bench = new Bench(bindings);
  const everybody = Array.from({ length: bindings }, (_, user) => user);
  const before = used();
  const spent = bench.register(everybody);
  const after = used();
  tell({
    bindings,
    bytesPerBinding: (after.heap - before.heap) / bindings,
    residentPerBinding: (after.resident - before.resident) / bindings,
    newMicroseconds: spent / bindings,
  });
  process.on("message", (round: number) => {
    // Users in an order that no cache foresees, the same in each run.
    const users = Array.from(
      { length: REGISTRATIONS_A_ROUND },
      (_, index) => ((round * REGISTRATIONS_A_ROUND + index) * 2_654_435_761) % bindings,
    );
    tell(bench.register(users) / REGISTRATIONS_A_ROUND);
  });
}

function tell(message: SizeFigures | number): void {
  process.send?.(message);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [size] = process.argv.slice(2);
  if (size === undefined) await run();
  else serve(Number(size));
}
