/**
 * A registrar without a network that registers phones of its own: `in-process.ts FOLDER FIRST`. Each REGISTER goes through
 * parser, transactions, digest, registrar and lmdb, and its answer comes back. Told how many by its parent, it tells what
 * they took. Two of these share a store as two workers do, and need no third processor for the load.
 */
import { Authorize } from "@sipkit/auth";
import { Dispatcher, type Peer, type Transport, type TransportSink } from "@sipkit/core";
import { Registrar } from "@sipkit/registrar";
import { lmdbStore } from "@sipkit/store-lmdb";
import { DOMAIN, PASSWORD } from "../users.ts";
import { credentialsLine, nonceIn, registerText } from "./register-text.ts";

export interface InProcessOrder {
  /** Registrations, of as many phones at most as each process has. */
  readonly count: number;
}

export interface InProcessReport {
  /** ms */
  readonly took: number;
  /** Processor time, all threads, µs. */
  readonly cpu: number;
}

/** Phones of each process. */
const PHONES = 10_000;
/** Registrations that are under way at once. */
const AT_ONCE = 200;

const [path = "", first = "0"] = process.argv.slice(2);

/** Stands for a socket: gives each answer to whom it is for. */
class Loop implements Transport {
  readonly protocol = "udp" as const;
  readonly waiting: Map<string, (answer: string) => void> = new Map();
  #sink: TransportSink | undefined;

  async listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    this.#sink = sink;
    return { address: "192.0.2.1", port: 5060 };
  }

  send(message: string | Uint8Array): void {
    const text = typeof message === "string" ? message : Buffer.from(message).toString("latin1");
    const branch = /branch=([^;\r]+)/.exec(text)?.[1] ?? "";
    const answer = this.waiting.get(branch);
    this.waiting.delete(branch);
    answer?.(text);
  }

  async close(): Promise<void> {
    this.#sink = undefined;
  }

  ask(text: string, branch: string, from: Peer): Promise<string> {
    return new Promise((resolve) => {
      this.waiting.set(branch, resolve);
      this.#sink?.message(Buffer.from(text, "latin1"), from);
    });
  }
}

const loop = new Loop();
const credentials = Object.fromEntries(
  Array.from({ length: PHONES }, (_, i) => [`u${Number(first) + i}`, PASSWORD]),
);
const server = new Dispatcher({
  legs: [{ listen: loop }],
  domains: [DOMAIN],
  receiver: [
    new Authorize({ realm: DOMAIN, credentials }),
    new Registrar({ maxExpires: 3600, store: lmdbStore({ path }) }),
  ],
});
await server.listen();
let cseq = 0;

async function register(phone: number): Promise<void> {
  const user = `u${phone}`;
  const address = `10.${(phone >> 16) & 255}.${(phone >> 8) & 255}.${phone & 255}`;
  const from: Peer = { protocol: "udp", address, port: 5060 };
  const ask = (line: string): Promise<string> => {
    cseq += 1;
    const branch = `z9hG4bK${phone}-${cseq}`;
    const local = `${address}:5060`;
    const parts = { user, transport: "UDP", local, callId: `call-${phone}`, cseq, branch };
    return loop.ask(registerText({ ...parts, credentials: line }), branch, from);
  };
  const challenge = await ask("");
  const answer = await ask(credentialsLine(user, nonceIn(challenge) ?? ""));
  if (!answer.startsWith("SIP/2.0 200 ")) throw new Error(`not registered: ${answer}`);
}

async function run({ count }: InProcessOrder): Promise<InProcessReport> {
  const before = process.cpuUsage();
  const began = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const phone = Number(first) + (next % PHONES);
      next += 1;
      await register(phone);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const { user, system } = process.cpuUsage(before);
  return { took: performance.now() - began, cpu: user + system };
}

process.on("message", (order: InProcessOrder) => {
  void run(order).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
