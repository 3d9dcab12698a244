import type { StreamCounters } from "./stream-counters.ts";
import type { StreamLimits } from "./stream-limits.ts";

/** What a connection takes too long for, and what counts it. */
export interface Delay {
  readonly why: string;
  readonly counter: keyof StreamCounters;
}

const NONE = -1;

/** Whether an open connection gets on: when bytes last passed over it, and when the message began that isn't whole. */
export class Progress {
  readonly #limits: StreamLimits;
  readonly #owesMessage: boolean;
  readonly #since: number;
  #lastRead: number;
  #lastWrite: number;
  #begun = NONE;
  #silent = true;
  /** How long the other side may say nothing, in milliseconds. */
  #longestSilence = Number.POSITIVE_INFINITY;

  /** `owesMessage`: whether the other side opened the connection, and so has something to say. */
  constructor(limits: StreamLimits, owesMessage: boolean, now: number) {
    this.#limits = limits;
    this.#owesMessage = owesMessage;
    this.#since = now;
    this.#lastRead = now;
    this.#lastWrite = now;
  }

  /** Bytes went out. */
  written(now: number): void {
    this.#lastWrite = now;
  }

  /** Bytes came, which leave a message begun or don't. */
  read(now: number, partial: boolean): void {
    this.#lastRead = now;
    if (!partial) this.#begun = NONE;
    else if (this.#begun === NONE) this.#begun = now;
  }

  /** A message is whole. */
  message(): void {
    this.#silent = false;
    this.#begun = NONE;
  }

  /** The other side has said that it will not be silent for longer. */
  expectBytes(within: number): void {
    this.#longestSilence = within;
  }

  /** What it has taken too long for; `undefined` when it is in time. */
  overdue(now: number): Delay | undefined {
    const limits = this.#limits;
    if (this.#begun !== NONE && now - this.#lastRead >= limits.betweenBytesTimeout) {
      return { why: "it fell silent within a message", counter: "silentConnections" };
    }
    if (this.#begun !== NONE && now - this.#begun >= limits.messageTimeout) {
      return { why: "it takes too long for a message", counter: "slowSenders" };
    }
    if (this.#owesMessage && this.#silent && now - this.#since >= limits.firstMessageTimeout) {
      return { why: "no whole message came in time", counter: "silentConnections" };
    }
    if (now - this.#lastRead >= this.#longestSilence) {
      return { why: "no keep-alive came in time", counter: "missedKeepAlives" };
    }
    if (now - Math.max(this.#lastRead, this.#lastWrite) >= limits.idleTimeout) {
      return { why: "nothing passed over it for long", counter: "idleConnections" };
    }
    return undefined;
  }
}
