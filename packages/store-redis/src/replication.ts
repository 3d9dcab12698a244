import { StoreUnavailable } from "@sipkit/registrar";
import type { Connection } from "./link.ts";

interface Waits {
  /** The WAIT that was sent. */
  running: Promise<void>;
  /** The one that comes after it. */
  next: Promise<void> | undefined;
}

/** Waits until so many replicas have what was written; what many connections' users wrote meanwhile shares one WAIT. */
export class Replication {
  readonly #replicas: number;
  readonly #within: number;
  readonly #waits = new WeakMap<Connection, Waits>();

  constructor(replicas: number, within: number) {
    this.#replicas = replicas;
    this.#within = within;
  }

  /** For what was written by this very connection: a WAIT on another one knows nothing of it. */
  reached(connection: Connection): Promise<void> {
    let waits = this.#waits.get(connection);
    if (waits === undefined) {
      waits = { running: Promise.resolve(), next: undefined };
      this.#waits.set(connection, waits);
    }
    const own = waits;
    own.next ??= own.running
      .catch(() => {})
      .then(() => {
        own.next = undefined;
        own.running = this.#wait(connection);
        return own.running;
      });
    return own.next;
  }

  async #wait(connection: Connection): Promise<void> {
    const command = ["WAIT", String(this.#replicas), String(this.#within)];
    const count = Number(await connection.send(command));
    if (count >= this.#replicas) return;
    throw new StoreUnavailable(`${count} of ${this.#replicas} replicas have it`);
  }
}
