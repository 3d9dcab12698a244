import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { BoundedChannel } from "./bounded-channel.ts";
import type { WorkersOptions } from "./options.ts";
import type { Stray } from "./stray.ts";

/** How long after its end a worker is started again, ms. */
const RESTART_AFTER = 500;

interface Worker {
  readonly child: ChildProcess;
  readonly channel: BoundedChannel;
}

/** Starts workers, and again those that end by themselves; carries strays from one to the other. */
export class Workers {
  readonly #options: WorkersOptions;
  /** By their numbers. */
  readonly #workers = new Map<number, Worker>();
  #isClosing = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** Resolves when all listen. Rejects when one can't: the others are ended. */
  async start(): Promise<void> {
    try {
      // One after the other: the kernel knows them in the order in which they listen.
      for (let index = 0; index < this.#options.workers; index += 1) await this.#begin(index);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Has all close, each when what is pending there has come to its end. */
  close(): void {
    this.#isClosing = true;
    for (const { child } of this.#workers.values()) child.kill("SIGTERM");
  }

  /** Starts a worker; resolves when it listens. */
  #begin(index: number): Promise<void> {
    const { args, secret, privatePort, workers } = this.#options;
    const env = {
      ...process.env,
      SIPKIT_WORKER: String(index),
      SIPKIT_WORKERS: String(workers),
      SIPKIT_PRIVATE_PORT: String(privatePort + index),
      SIPKIT_SECRET: secret,
    };
    const file = join(import.meta.dirname, "worker.ts");
    const child = fork(file, args, { env, serialization: "advanced" });
    this.#workers.set(index, { child, channel: new BoundedChannel() });
    let isListening = false;
    return new Promise((resolve, reject) => {
      child.on("message", (message: "listening" | Stray) => {
        if (message === "listening") {
          console.log(`worker ${index}: process ${child.pid} listens`);
          isListening = true;
          resolve();
        } else this.#carry(message);
      });
      child.once("exit", (code, signal) => {
        console.log(`worker ${index}: ended by ${signal ?? code}`);
        if (isListening) this.#again(index);
        else reject(new Error(`worker ${index} doesn't start`));
      });
    });
  }

  #carry(stray: Stray): void {
    const worker = this.#workers.get(stray.to);
    worker?.channel.send(worker.child, stray);
  }

  #again(index: number): void {
    setTimeout(() => {
      if (!this.#isClosing) this.#begin(index).catch(() => this.#again(index));
    }, RESTART_AFTER);
  }
}
