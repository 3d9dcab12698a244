import type { LateTargetsObserver, Server, Target, Timer } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { deviceOf } from "../device.ts";
import { pushIdOf } from "./push-device.ts";

/** Milliseconds for which devices that come may join a request that rings elsewhere. */
const LISTENS = 30_000;

/** A request, and the devices that it waits for. */
export interface HeldRequest {
  readonly addressOfRecord: string;
  /** As they were when they were woken. */
  readonly asleep: readonly Binding[];
  readonly observer: LateTargetsObserver;
  /** Where the request goes when that binding comes. */
  readonly targetsOf: (binding: Binding) => readonly Target[];
}

/** One request that waits. */
export class Hold {
  readonly #server: Server;
  readonly #request: HeldRequest;
  readonly #ended: () => void;
  /** By what stands for its device. */
  readonly #awaited = new Map<string, Binding>();
  #timer: Timer;
  /** Devices that have come and are to be told of. */
  #coming = 0;
  #hasCome = false;
  #isOverdue = false;
  #isSettled = false;
  #isOver = false;

  constructor(server: Server, request: HeldRequest, wait: number, ended: () => void) {
    this.#server = server;
    this.#request = request;
    this.#ended = ended;
    for (const binding of request.asleep) {
      const id = pushIdOf(binding);
      if (id !== undefined) this.#awaited.set(id, binding);
    }
    this.#timer = server.clock.setTimer(wait, () => this.#waited());
  }

  arrived(binding: Binding, previous: Binding | undefined): void {
    const id = this.#idOf(binding) ?? (previous && this.#idOf(previous));
    if (id === undefined || this.#isOver) return;
    this.#awaited.delete(id);
    this.#hasCome = true;
    this.#coming += 1;
    // RFC 8599 §4.1.3: the device shall have the answer to its REGISTER first.
    this.#server.clock.setTimer(0, () => {
      this.#coming -= 1;
      if (this.#isOver) return;
      this.#request.observer.found(this.#request.targetsOf(binding));
      this.#settleWhenOver();
    });
  }

  /** As `arrived`, of a binding that may be the one that was there before. */
  seen(binding: Binding): void {
    const id = this.#idOf(binding);
    const before = id === undefined ? undefined : this.#awaited.get(id);
    if (before === undefined || isSameRegister(before, binding)) return;
    this.arrived(binding, undefined);
  }

  drop(id: string): void {
    if (this.#awaited.delete(id)) this.#settleWhenOver();
  }

  /** The request has its answer. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.cancel();
    this.#ended();
  }

  /** Which of those that are awaited a binding is: by its token, or by its instance where the token is a new one. */
  #idOf(binding: Binding): string | undefined {
    const id = pushIdOf(binding);
    if (id === undefined || this.#awaited.has(id)) return id;
    const { instance } = deviceOf(binding);
    if (instance === undefined) return undefined;
    for (const [known, awaited] of this.#awaited) {
      if (deviceOf(awaited).instance === instance) return known;
    }
    return undefined;
  }

  /** RFC 8599 §5.6.2: the Bucket Timer. Who comes still joins those that ring. */
  #waited(): void {
    if (!this.#hasCome) this.#server.count("pushesUnanswered");
    this.#isOverdue = true;
    this.#timer = this.#server.clock.setTimer(LISTENS, () => this.end());
    this.#settleWhenOver();
  }

  #settleWhenOver(): void {
    const isComplete = this.#awaited.size === 0;
    if (this.#coming > 0 || !(isComplete || this.#isOverdue)) return;
    if (!this.#isSettled) {
      this.#isSettled = true;
      this.#request.observer.settled();
    }
    if (isComplete) this.end();
  }
}

function isSameRegister(some: Binding, other: Binding): boolean {
  return some.callId === other.callId && some.cseq === other.cseq && some.digest === other.digest;
}
