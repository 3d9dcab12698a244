import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A process of its own that does what it is told, and tells what came of it. */
export interface Load<Order, Report> {
  load(order: Order): Promise<Report>;
  stop(): void;
}

/** Starts a file of this folder, and waits until it says that it is ready. */
export async function startLoad<Order extends object, Report>(
  file: string,
  args: readonly (string | number)[],
): Promise<Load<Order, Report>> {
  const child = fork(join(import.meta.dirname, file), args.map(String), {
    execArgv: ["--import", "tsx"],
  });
  await told(child);
  return {
    load(order) {
      child.send(order);
      return told(child) as Promise<Report>;
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
        throw new Error("a process that makes load ended early");
      }),
    ]);
    return message;
  } finally {
    ended.abort();
  }
}
