import type { Clock, Timer } from "../clock.ts";
import type { Links } from "./links.ts";
import type { VirtualMessage } from "./virtual-message.ts";

/** How long what was sent over a connection may wait for a partition to heal, in milliseconds. */
const DELIVERY_TIMEOUT = 60_000;

/** One step on the way of a connection: a message, or its opening or end. */
interface Segment {
  readonly message?: VirtualMessage | undefined;
  readonly arrive: () => void;
}

/** One direction of a connection: nothing is lost and nothing overtakes, and what a partition stops waits. */
export class VirtualPipe {
  readonly #links: Links;
  readonly #clock: Clock;
  readonly #from: string;
  readonly #to: string;
  readonly #giveUp: () => void;
  /** What hasn't arrived, in order: each arrival is that of the first one. */
  readonly #queue: Segment[] = [];
  /** For how many of them nothing is under way, because a partition has stopped it. */
  #stopped = 0;
  #last = 0;
  #patience: Timer | undefined;
  readonly #resume = (): void => {
    this.#patience?.cancel();
    this.#patience = undefined;
    for (; this.#stopped > 0; this.#stopped--) this.#depart();
  };

  /** `clock` is the network's; `giveUp` is called when what was sent has waited too long. */
  constructor(links: Links, clock: Clock, from: string, to: string, giveUp: () => void) {
    this.#links = links;
    this.#clock = clock;
    this.#from = from;
    this.#to = to;
    this.#giveUp = giveUp;
  }

  send(segment: Segment): void {
    this.#queue.push(segment);
    if (this.#isCut) this.#stop(segment);
    else this.#depart();
  }

  /** Nothing that a partition has stopped arrives. */
  empty(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    const stopped = this.#queue.splice(this.#queue.length - this.#stopped);
    this.#stopped = 0;
    for (const { message } of stopped) message?.become("lost");
  }

  get #isCut(): boolean {
    return this.#links.isCut(this.#from, this.#to);
  }

  #depart(): void {
    const now = this.#clock.now();
    this.#last = Math.max(this.#last, now + this.#links.latency(this.#from, this.#to));
    this.#clock.setTimer(this.#last - now, () => {
      const [first] = this.#queue;
      if (first === undefined) return;
      if (this.#isCut) {
        this.#stop(first);
        return;
      }
      this.#queue.shift();
      first.arrive();
    });
  }

  #stop({ message }: Segment): void {
    message?.become("held");
    if (this.#stopped === 0) this.#links.onceHealed(this.#resume);
    this.#stopped += 1;
    // The news of an end waits as long as it must, as the other side's keep-alives would find it out.
    if (message === undefined) return;
    this.#patience ??= this.#clock.setTimer(DELIVERY_TIMEOUT, () => {
      this.empty();
      this.#giveUp();
    });
  }
}
