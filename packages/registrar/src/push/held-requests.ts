import { type Awaitable, type Server, type Timer, whenKnown } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { runDetached } from "../failures.ts";
import { type HeldRequest, Hold } from "./hold.ts";

/** Milliseconds between two looks into a store that other nodes write to. */
const POLL = 1000;

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
