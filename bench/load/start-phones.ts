import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { LoadOrder, LoadReport } from "./phones.ts";
import type { Transport } from "./wire.ts";

/** Phones that are connected to a server. */
export interface Phones {
  load(order: LoadOrder): Promise<LoadReport>;
  stop(): void;
}

/** Starts `count` phones, users `u0`, `u1` …, in a process of their own. */
export async function startPhones(
  transport: Transport,
  port: number,
  count: number,
): Promise<Phones> {
  const child = fork(join(import.meta.dirname, "phones.ts"), [transport, `${port}`, `${count}`], {
    execArgv: ["--import", "tsx"],
  });
  await told(child);
  return {
    load(order) {
      child.send(order);
      return told(child) as Promise<LoadReport>;
    },
    stop: () => {
      child.kill();
    },
  };
}

async function told(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  try {
    const [message] = await Promise.race([
      once(child, "message", { signal: ended.signal }),
      once(child, "exit", { signal: ended.signal }).then(() => {
        throw new Error("the phones' process ended early");
      }),
    ]);
    return message;
  } finally {
    ended.abort();
  }
}
