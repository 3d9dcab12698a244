import type { Leg, Peer } from "../arrival.ts";
import { SipError } from "../errors.ts";
import type { Method } from "../message/method.ts";
import { addressBlock } from "../transport/address-block.ts";
import type { DropRule } from "./dropper.ts";
import type { Packet } from "./handler.ts";
import type { Server } from "./server.ts";

export interface ByRateOptions {
  /** How many requests an address may send in an interval: what comes beyond is dropped. */
  readonly attempts: number;
  /** In milliseconds. */
  readonly interval: number;
  /** Only requests of these methods are counted and dropped. Default: all. */
  readonly methods?: readonly Method[];
  /** How many addresses are remembered; the one whose count began first is forgotten. Default: 10,000. */
  readonly maxAddresses?: number;
}

/** What an address sent in the interval that runs, and in the one before it. */
interface Tally {
  began: number;
  count: number;
  before: number;
}

/** Counts requests by address, in a sliding window that is reckoned from two fixed ones. */
class RateRule implements DropRule {
  readonly #attempts: number;
  readonly #interval: number;
  readonly #methods: ReadonlySet<Method> | undefined;
  readonly #maxAddresses: number;
  /** In the order in which their intervals began. */
  readonly #tallies = new Map<string, Tally>();
  #server: Server | undefined;

  constructor({ attempts, interval, methods, maxAddresses = 10_000 }: ByRateOptions) {
    check(attempts > 0 && Number.isFinite(attempts), "attempts must be above 0");
    check(interval > 0 && Number.isFinite(interval), "interval must be above 0");
    check(Number.isInteger(maxAddresses) && maxAddresses > 0, "maxAddresses must be above 0");
    this.#attempts = attempts;
    this.#interval = interval;
    this.#methods = methods && new Set(methods);
    this.#maxAddresses = maxAddresses;
  }

  start(server: Server): void {
    this.#server = server;
  }

  drops(packet: Packet, _leg: Leg, from: Peer): boolean {
    const server = this.#server;
    if (server === undefined) throw new SipError("SIP_NOT_STARTED", "the rule was not started");
    if (!packet.isRequest) return false;
    if (this.#methods !== undefined && !this.#methods.has(packet.method)) return false;
    const now = server.clock.now();
    const tally = this.#tally(addressBlock(from.address), now, server);
    tally.count += 1;
    const left = 1 - (now - tally.began) / this.#interval;
    if (tally.count + tally.before * left <= this.#attempts) return false;
    server.count("droppedByRate");
    return true;
  }

  #tally(block: string, now: number, server: Server): Tally {
    const known = this.#tallies.get(block);
    const age = known === undefined ? Number.POSITIVE_INFINITY : now - known.began;
    if (known !== undefined && age < this.#interval) return known;
    const isNext = known !== undefined && age < 2 * this.#interval;
    const tally: Tally = {
      began: isNext ? known.began + this.#interval : now,
      count: 0,
      before: isNext ? known.count : 0,
    };
    if (known !== undefined) this.#tallies.delete(block);
    else this.#makeRoom(now, server);
    this.#tallies.set(block, tally);
    return tally;
  }

  /** Lets go of what says nothing any more, a few at a time; where there is no room then, of the oldest. */
  #makeRoom(now: number, server: Server): void {
    let looks = 2;
    for (const [block, { began }] of this.#tallies) {
      const isOver = now - began >= 2 * this.#interval;
      if (!isOver && this.#tallies.size < this.#maxAddresses) return;
      this.#tallies.delete(block);
      if (!isOver) server.count("forgottenSenders");
      looks -= 1;
      if (looks === 0) return;
    }
  }
}

/**
 * Drops requests of who sends too many: by IPv4 address, or by the /64 of an IPv6 address, which is what one host has at
 * its disposal. What is dropped counts too, so that who goes on stays shut out until he has been quiet. Retransmissions
 * of a request that is being served count nothing, since no handler sees them.
 *
 * Throws `SIP_BAD_OPTION` for a bound that is none.
 *
 * @example
 * byRate({ attempts: 20, interval: 10_000, methods: ["REGISTER"] });
 */
export function byRate(options: ByRateOptions): DropRule {
  return new RateRule(options);
}

function check(isGood: boolean, message: string): void {
  if (!isGood) throw new SipError("SIP_BAD_OPTION", message);
}
