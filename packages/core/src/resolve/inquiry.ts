import type { Answer, Questions } from "./questions.ts";

/**
 * The questions of one request: those that are known are answered at once, the others are asked, and what they found
 * holds to its end, so that it comes to one.
 */
export class Inquiry {
  #held: Map<string, Answer<unknown>> | undefined;
  #asking: Promise<void>[] = [];
  #failure: unknown;

  /** Why somebody couldn't answer, the first of them. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The records that a name has; `undefined` while that is asked. */
  records<T>(questions: Questions<T>, name: string): readonly T[] | undefined {
    const held = this.#held?.get(`${questions.kind} ${name}`) as Answer<T> | undefined;
    const answer = held ?? questions.known(name);
    if (answer === undefined) {
      this.#asking.push(this.#ask(questions, name));
      return undefined;
    }
    this.#failure ??= answer.failure;
    return answer.records;
  }

  /** Waits until all is answered that was asked. */
  async answered(): Promise<void> {
    const asking = this.#asking;
    this.#asking = [];
    await Promise.all(asking);
  }

  async #ask<T>(questions: Questions<T>, name: string): Promise<void> {
    const answer = await questions.ask(name);
    this.#held ??= new Map();
    this.#held.set(`${questions.kind} ${name}`, answer);
  }
}
