import type { Leg, Peer } from "../arrival.ts";
import type { Handler, Packet, Verdict } from "./handler.ts";
import type { Server } from "./server.ts";

/** Says which packets a {@link Dropper} drops: one of {@link byField} and {@link byRate}, or your own. */
export interface DropRule {
  drops(packet: Packet, leg: Leg, from: Peer): boolean;
  /** Runs once, as a handler's: how a rule gets its clock and its counters. */
  start?(server: Server): void;
}

/** What a {@link Dropper} drops. */
export interface DropperOptions {
  /** Rules, or functions that are one; asked in order, and the first that says true drops. */
  readonly by: readonly (DropRule | DropRule["drops"])[];
}

/**
 * Drops packets without an answer: the sender learns nothing, not even that somebody is here. Stands first in the chain,
 * so that nobody works for what is dropped.
 *
 * @example
 * new Dropper({
 *   by: [
 *     byField({ "user-agent": /friendly-scanner|sipvicious/i }),
 *     byRate({ attempts: 20, interval: 10_000, methods: ["REGISTER", "INVITE"] }),
 *   ],
 * });
 */
export class Dropper implements Handler {
  readonly name = "Dropper";
  readonly #rules: readonly DropRule[];

  constructor({ by }: DropperOptions) {
    this.#rules = by.map((rule) => (typeof rule === "function" ? { drops: rule } : rule));
  }

  start(server: Server): void {
    for (const rule of this.#rules) rule.start?.(server);
  }

  receive(packet: Packet, leg: Leg, from: Peer): Verdict {
    for (const rule of this.#rules) {
      if (rule.drops(packet, leg, from)) return "drop";
    }
    return undefined;
  }
}
