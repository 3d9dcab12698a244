import type { Clock } from "../clock.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { VirtualMessage } from "./virtual-message.ts";

/** How a link treats what is sent over it, both ways. Connections know no loss: of all this only `latency` is for them. */
export interface LinkConditions {
  /** How long a message takes, in milliseconds; of a range any time in it. Default: 1. */
  readonly latency?: number | readonly [least: number, most: number];
  /** The probability that a datagram is lost, or a function that says so of each. Default: 0. */
  readonly loss?: number | ((message: VirtualMessage) => boolean);
  /** The probability that a datagram arrives twice. Default: 0. */
  readonly duplication?: number;
  /**
   * The probability that a datagram comes late, by up to four times the longest latency, so that others overtake it.
   * All others of one sender keep their order. Default: 0.
   */
  readonly reordering?: number;
}

/** One direction between two addresses. */
interface Path {
  conditions: Required<LinkConditions>;
  /** When the last datagram that kept its order arrives. */
  last: number;
}

const LATE = 4;

/** What lies between the hosts: conditions of each link, partitions, and the way of a datagram. Hosts are addresses here. */
export class Links {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #paths = new Map<string, Path>();
  readonly #overrides = new Map<string, LinkConditions>();
  readonly #partitions: (readonly [ReadonlySet<string>, ReadonlySet<string>])[] = [];
  readonly #waiting = new Set<() => void>();
  #conditions: Required<LinkConditions> = { latency: 1, loss: 0, duplication: 0, reordering: 0 };

  constructor(clock: Clock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Changes what is given, for all links. */
  change(conditions: LinkConditions): void {
    this.#conditions = { ...this.#conditions, ...checked(conditions) };
    this.#renew();
  }

  /** Changes what is given, for one link. */
  changeBetween(a: string, b: string, conditions: LinkConditions): void {
    for (const key of [keyOf(a, b), keyOf(b, a)]) {
      this.#overrides.set(key, { ...this.#overrides.get(key), ...checked(conditions) });
    }
    this.#renew();
  }

  /** Nothing gets through between the one side and the other until `heal`. */
  cut(one: Iterable<string>, other: Iterable<string>): void {
    this.#partitions.push([new Set(one), new Set(other)]);
  }

  heal(): void {
    this.#partitions.length = 0;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const run of waiting) run();
  }

  isCut(from: string, to: string): boolean {
    return this.#partitions.some(
      ([one, other]) => (one.has(from) && other.has(to)) || (other.has(from) && one.has(to)),
    );
  }

  /** Calls back once when the network is whole again. */
  onceHealed(run: () => void): void {
    this.#waiting.add(run);
  }

  /** How long something sent now takes. */
  latency(from: string, to: string): number {
    const { latency } = this.#path(from, to).conditions;
    if (typeof latency === "number") return latency;
    const [least, most] = latency;
    return least + this.#random.number() * (most - least);
  }

  /** Sends a datagram on its way; `arrive` tells whether anybody took it. */
  datagram(message: VirtualMessage, from: string, to: string, arrive: () => boolean): void {
    const path = this.#path(from, to);
    const { loss, duplication, reordering } = path.conditions;
    const isLost = typeof loss === "function" ? loss(message) : this.#random.chance(loss);
    if (isLost || this.isCut(from, to)) {
      message.become("lost");
      return;
    }
    const copies = this.#random.chance(duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const isLate = this.#random.chance(reordering);
      const delay = this.#datagramDelay(path, this.latency(from, to), isLate);
      this.#clock.setTimer(delay, () => {
        if (!this.isCut(from, to) && arrive()) message.arrived(this.#clock.now());
        else message.become("lost");
      });
    }
  }

  #datagramDelay(path: Path, latency: number, isLate: boolean): number {
    const longest = longestOf(path.conditions.latency);
    if (isLate) return latency + this.#random.number() * LATE * longest;
    const now = this.#clock.now();
    path.last = Math.max(path.last, now + latency);
    return path.last - now;
  }

  #path(from: string, to: string): Path {
    const key = keyOf(from, to);
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = { conditions: { ...this.#conditions, ...this.#overrides.get(key) }, last: 0 };
      this.#paths.set(key, path);
    }
    return path;
  }

  #renew(): void {
    for (const [key, path] of this.#paths) {
      path.conditions = { ...this.#conditions, ...this.#overrides.get(key) };
    }
  }
}

function keyOf(from: string, to: string): string {
  return `${from} ${to}`;
}

function longestOf(latency: number | readonly [number, number]): number {
  return typeof latency === "number" ? latency : latency[1];
}

/** The conditions that are given, and nothing else that an object holds. Throws a `RangeError` for what can't be. */
function checked(given: LinkConditions): LinkConditions {
  const conditions: { -readonly [Name in keyof LinkConditions]: LinkConditions[Name] } = {};
  if (given.latency !== undefined) conditions.latency = checkedLatency(given.latency);
  if (given.loss !== undefined) {
    conditions.loss =
      typeof given.loss === "function" ? given.loss : checkedProbability("loss", given.loss);
  }
  for (const name of ["duplication", "reordering"] as const) {
    const value = given[name];
    if (value !== undefined) conditions[name] = checkedProbability(name, value);
  }
  return conditions;
}

function checkedLatency(
  latency: number | readonly [number, number],
): number | readonly [number, number] {
  const [least, most] = typeof latency === "number" ? [latency, latency] : latency;
  if (least >= 0 && most >= least && most < Number.POSITIVE_INFINITY) return latency;
  throw new RangeError("latency is milliseconds, or [least, most] of them");
}

function checkedProbability(name: string, value: number): number {
  if (value >= 0 && value <= 1) return value;
  throw new RangeError(`${name} is a probability, from 0 to 1`);
}
