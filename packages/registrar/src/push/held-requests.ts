import {
  type Awaitable,
  type LateTargetsObserver,
  type Server,
  type Target,
  type Timer,
  whenKnown,
} from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { deviceOf } from "../device.ts";
import { runDetached } from "../failures.ts";
import { pushIdOf } from "./push-device.ts";

/** Milliseconds for which devices that come may join a request that rings elsewhere. */
const LISTENS = 30_000;
/** Milliseconds between two looks into a store that other nodes write to. */
const POLL = 1000;

/** A request, and the devices that it waits for. */
export interface HeldRequest {
  readonly addressOfRecord: string;
  /** As they were when they were woken. */
  readonly asleep: readonly Binding[];
  readonly observer: LateTargetsObserver;
  /** Where the request goes when that binding comes. */
  readonly targetsOf: (binding: Binding) => readonly Target[];
}

/** How requests are held. */
export interface HoldRules {
  /** Milliseconds. */
  readonly wait: number;
  readonly maxHeld: number;
  readonly maxHeldPerUser: number;
  /** Reads the store again, where another node may have written; left out where none does. */
  readonly read?: (addressOfRecord: string) => Awaitable<readonly Binding[] | undefined>;
}

/**
 * The requests that wait for devices which are being woken.
 *
 * RFC 8599 §5.2: the SIP Request Push Bucket
 */
export class HeldRequests {
  readonly #server: Server;
  readonly #rules: HoldRules;
  readonly #byUser = new Map<string, Set<Hold>>();
  #count = 0;
  #poll: Timer | undefined;

  constructor(server: Server, rules: HoldRules) {
    this.#server = server;
    this.#rules = rules;
  }

  /** Begins to wait; `undefined`: too many do. Gives what the devices are dropped by, and what ends it. */
  add(request: HeldRequest): Hold | undefined {
    const { maxHeld, maxHeldPerUser, wait } = this.#rules;
    const { addressOfRecord } = request;
    const ofUser = this.#byUser.get(addressOfRecord) ?? new Set();
    if (this.#count >= maxHeld || ofUser.size >= maxHeldPerUser) {
      this.#server.count("heldOverLimit");
      return undefined;
    }
    const hold = new Hold(this.#server, request, wait, () => this.#remove(addressOfRecord, hold));
    this.#byUser.set(addressOfRecord, ofUser.add(hold));
    this.#count += 1;
    if (this.#rules.read !== undefined) this.#poll ??= this.#pollLater();
    return hold;
  }

  /** A binding has come, or was refreshed. */
  arrived(addressOfRecord: string, binding: Binding, previous: Binding | undefined): void {
    for (const hold of [...(this.#byUser.get(addressOfRecord) ?? [])])
      hold.arrived(binding, previous);
  }

  /** A device can't be woken any more. */
  gone(id: string, addressOfRecord?: string): void {
    const users =
      addressOfRecord === undefined
        ? [...this.#byUser.values()]
        : [this.#byUser.get(addressOfRecord) ?? []];
    for (const holds of users) for (const hold of [...holds]) hold.drop(id);
  }

  close(): void {
    this.#poll?.cancel();
    for (const holds of [...this.#byUser.values()]) for (const hold of [...holds]) hold.end();
  }

  #remove(addressOfRecord: string, hold: Hold): void {
    const ofUser = this.#byUser.get(addressOfRecord);
    if (ofUser?.delete(hold) !== true) return;
    this.#count -= 1;
    if (ofUser.size === 0) this.#byUser.delete(addressOfRecord);
  }

  #pollLater(): Timer {
    return this.#server.clock.setTimer(POLL, () => {
      this.#poll = this.#byUser.size === 0 ? undefined : this.#pollLater();
      for (const addressOfRecord of [...this.#byUser.keys()]) this.#look(addressOfRecord);
    });
  }

  /** A store that is away now is asked again; whose fault it is, others tell. */
  #look(addressOfRecord: string): void {
    const { read } = this.#rules;
    if (read === undefined) return;
    const look = (bindings: readonly Binding[] = []): void => {
      for (const hold of [...(this.#byUser.get(addressOfRecord) ?? [])]) {
        for (const binding of bindings) hold.seen(binding);
      }
    };
    runDetached(
      () => whenKnown(read(addressOfRecord), look),
      () => undefined,
    );
  }
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
    this.#timer = this.#server.clock.setTimer(LISTENS, () => this.end());
    this.#awaitNoMore();
  }

  #settleWhenOver(): void {
    if (this.#awaited.size > 0 || this.#coming > 0) return;
    this.#awaitNoMore();
    this.end();
  }

  #awaitNoMore(): void {
    if (this.#isSettled || this.#coming > 0) return;
    this.#isSettled = true;
    this.#request.observer.settled();
  }
}

function isSameRegister(some: Binding, other: Binding): boolean {
  return some.callId === other.callId && some.cseq === other.cseq && some.digest === other.digest;
}
