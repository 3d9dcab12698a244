import { type Awaitable, isPromise } from "@sipkit/core";

/**
 * Runs tasks of one key one after the other, in the order that they came, where they take time. A task that is done at
 * once, with none of its key before it, costs a look at a map that is empty.
 */
export class UpdateOrder {
  readonly #last = new Map<string, Promise<unknown>>();

  /** How many keys have a task under way. */
  get size(): number {
    return this.#last.size;
  }

  run<T>(key: string, task: () => Awaitable<T>): Awaitable<T> {
    const before = this.#last.size === 0 ? undefined : this.#last.get(key);
    const outcome = before === undefined ? task() : before.then(task);
    if (!isPromise(outcome)) return outcome;
    const settled = outcome.then(ignore, ignore);
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return outcome;
  }
}

function ignore(): void {}
