/**
 * What a binding costs in memory, and whether a registration costs the same when there are many.
 *
 *   npx tsx --conditions=@sipkit/source bench/memory.ts
 *
 * Real REGISTERs, a user each, go through `Request.parse` and the registrar's `receive` into its memory store. Each
 * size has a process of its own, so that one heap doesn't carry another's history.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Dispatcher, type FlowRef, Request, type Server, systemClock } from "@sipkit/core";
import { memoryStore, Registrar } from "@sipkit/registrar";
import { median } from "./statistics.ts";
import { number, printTable } from "./table.ts";

/** The order's bounds. */
const MOST_BYTES = 1200;
const MOST_SLOWDOWN = 1.3;

const SIZES = [1000, 100_000, 1_000_000] as const;
const ROUNDS = 20;
const REGISTRATIONS_A_ROUND = 15_000;
const BATCH = 500;
const SOON = 5000;

interface SizeFigures {
  readonly bindings: number;
  /** All that the process's heap and its array buffers grew by, divided by the bindings. */
  readonly bytesPerBinding: number;
  /** What its resident memory grew by, divided by the bindings: with the collector's own room. */
  readonly residentPerBinding: number;
  /** Processor time of a registration of somebody new, while the store was filled, all threads. */
  readonly fillMicroseconds: number;
  /** Processor time of a refresh by a user at random, all threads: the median of the rounds. */
  readonly refreshMicroseconds: number;
}

export interface MemoryFigures {
  readonly sizes: readonly SizeFigures[];
  /** The refresh at the largest size over that at the smallest. */
  readonly slowdown: number;
}

/** Runs the benchmark and prints its table. */
export function run(): MemoryFigures {
  console.log("\nmemory: bindings in the registrar's memory store, one per user");
  const sizes = SIZES.map((bindings) => measureApart(bindings));
  printTable(
    ["bindings", "bytes each", "resident each", "µs a new one", "µs a refresh"],
    sizes.map((figures) => [
      number(figures.bindings),
      number(figures.bytesPerBinding),
      number(figures.residentPerBinding),
      number(figures.fillMicroseconds, 1),
      number(figures.refreshMicroseconds, 1),
    ]),
  );
  const [smallest, largest] = [sizes[0], sizes.at(-1)] as [SizeFigures, SizeFigures];
  const slowdown = largest.refreshMicroseconds / smallest.refreshMicroseconds;
  const most = Math.max(...sizes.slice(1).map((figures) => figures.bytesPerBinding));
  console.log(
    `  bytes per binding: ${number(most)} at most, wanted ≤ ${number(MOST_BYTES)}; ` +
      `a refresh among ${number(largest.bindings)} costs ${number(slowdown, 2)} times one among ` +
      `${number(smallest.bindings)}, wanted ≤ ${MOST_SLOWDOWN}`,
  );
  return { sizes, slowdown };
}

function measureApart(bindings: number): SizeFigures {
  const conditions = ["--expose-gc", "--max-old-space-size=4096", ...process.execArgv];
  const file = fileURLToPath(import.meta.url);
  const output = execFileSync(process.execPath, [...conditions, file, String(bindings)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(output) as SizeFigures;
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
    const { node, epoch } = this.#dispatcher;
    const server: Partial<Server> = {
      clock: systemClock,
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

function measure(bindings: number): SizeFigures {
  if (global.gc === undefined) throw new Error("run it with --expose-gc");
  const everybody = Array.from({ length: bindings }, (_, user) => user);
  // The code is compiled before anything is measured.
  const warm = new Bench(SOON);
  for (let turn = 0; turn < 4; turn += 1) warm.register(everybody.slice(0, SOON));
  const bench = new Bench(bindings);
  const before = used();
  const fill = bench.register(everybody);
  const after = used();
  const rounds = Array.from({ length: ROUNDS }, (_, round) => {
    // Users in an order that no cache foresees, the same in each run.
    const users = Array.from(
      { length: REGISTRATIONS_A_ROUND },
      (_, index) => ((round * REGISTRATIONS_A_ROUND + index) * 2_654_435_761) % bindings,
    );
    return bench.register(users) / REGISTRATIONS_A_ROUND;
  });
  return {
    bindings,
    bytesPerBinding: (after.heap - before.heap) / bindings,
    residentPerBinding: (after.resident - before.resident) / bindings,
    fillMicroseconds: fill / bindings,
    refreshMicroseconds: median(rounds),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [size] = process.argv.slice(2);
  if (size === undefined) run();
  else process.stdout.write(JSON.stringify(measure(Number(size))));
}
