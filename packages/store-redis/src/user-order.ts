/** Has what concerns one user run one after the other, in the order that it came. */
export class UserOrder {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const own = before === undefined ? work() : before.then(work, work);
    this.#last.set(name, own);
    const forget = (): void => {
      if (this.#last.get(name) === own) this.#last.delete(name);
    };
    own.then(forget, forget);
    return own;
  }
}
