import type { Connection, Leg, Peer } from "../arrival.ts";
import type { Clock } from "../clock.ts";
import type { Method } from "../message/method.ts";
import { chainChannel } from "./chain-channel.ts";
import type { AnyHandler, Handler, Outcome, Packet, Verdict } from "./handler.ts";
import { claimant, handlerName, type Link, link } from "./link.ts";
import type { Server } from "./server.ts";
import { checkVerdict, isClaim, isPending, nameError } from "./verdict.ts";

export interface ReceiveChainOptions {
  /** How traces and errors call it. Default: `ReceiveChain`. */
  readonly name?: string;
  /** Only packets of these methods enter; of a response counts its CSeq method. */
  readonly methods?: readonly Method[];
  /** Only packets that it says true to enter. */
  readonly filter?: (packet: Packet, leg: Leg, from: Peer) => boolean;
}

/**
 * Handlers one after the other: each packet walks along until one has dealt with it. A chain is itself a handler, so
 * chains nest. It waits only for what is a promise; one of synchronous handlers makes none.
 *
 * @example
 * new ReceiveChain([new ReceiveChain([authorize], { methods: ["REGISTER"] }), registrar, new Proxy()]);
 */
export class ReceiveChain implements Handler {
  readonly name: string;
  readonly allows: readonly Method[];
  readonly takesCancel: boolean;
  readonly #links: readonly Link[];
  readonly #senders: readonly Link[];
  readonly #methods: ReadonlySet<Method> | undefined;
  readonly #filter: ReceiveChainOptions["filter"];
  /** Those who want to know of lost connections. */
  #listeners: readonly Handler[] | undefined;
  #clock: Clock | undefined;
  #node = "";

  constructor(handlers: readonly AnyHandler[], options: ReceiveChainOptions = {}) {
    this.name = options.name ?? "ReceiveChain";
    this.#links = handlers.map(link);
    this.#senders = this.#links.filter(({ handler }) => sends(handler)).reverse();
    this.#methods = options.methods === undefined ? undefined : new Set(options.methods);
    this.#filter = options.filter;
    this.allows = this.#allowed();
    this.takesCancel = this.#links.some(({ handler }) => handler.takesCancel === true);
  }

  receive(packet: Packet, leg: Leg, from: Peer): Outcome {
    return this.#accepts(packet, leg, from) ? this.#walk(0, packet, leg, from) : undefined;
  }

  beforeSend(packet: Packet, leg: Leg, to: Peer): void {
    if (this.#senders.length === 0 || !this.#accepts(packet, leg, to)) return;
    for (const { name, handler } of this.#senders) {
      try {
        handler.beforeSend?.(packet, leg, to);
      } catch (error) {
        throw nameError(error, name);
      }
    }
  }

  /** Tells each handler once, also one that stands in several nested chains, and those after one that throws. */
  connectionClosed(connection: Connection, leg: Leg): void {
    this.#listeners ??= [...members(this, new Set())].filter(
      (handler) => !(handler instanceof ReceiveChain) && handler.connectionClosed !== undefined,
    );
    let failure: unknown;
    for (const handler of this.#listeners) {
      try {
        handler.connectionClosed?.(connection, leg);
      } catch (error) {
        failure ??= nameError(error, handlerName(handler));
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** Starts each handler once, also one that stands in several nested chains. */
  async start(server: Server): Promise<void> {
    for (const handler of members(this, new Set())) {
      if (handler instanceof ReceiveChain) handler.#trace(server);
      else await handler.start?.(server);
    }
  }

  /** Closes each handler once, in reverse order, also when one of them fails. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const handler of [...members(this, new Set())].reverse()) {
      if (handler instanceof ReceiveChain) continue;
      try {
        await handler.close?.();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Whether any handler in it has a `beforeSend`. */
  get hasSenders(): boolean {
    return this.#senders.length > 0;
  }

  /** Its members, nested chains as one each. */
  get handlers(): readonly Handler[] {
    return this.#links.map(({ handler }) => handler);
  }

  #walk(start: number, packet: Packet, leg: Leg, from: Peer): Outcome {
    const links = this.#links;
    for (let index = start; index < links.length; index += 1) {
      const current = links[index] as Link;
      const outcome = chainChannel.hasSubscribers
        ? this.#tracedStep(current, packet, leg, from)
        : step(current, packet, leg, from);
      if (isPending(outcome)) {
        return outcome.then((verdict) =>
          isClaim(verdict) ? verdict : this.#walk(index + 1, packet, leg, from),
        );
      }
      if (isClaim(outcome)) return outcome;
    }
    return undefined;
  }

  /** Takes what its steps are published with. */
  #trace({ clock, node }: Server): void {
    this.#clock = clock;
    this.#node = node;
  }

  #tracedStep(current: Link, packet: Packet, leg: Leg, from: Peer): Outcome {
    const began = this.#clock?.now() ?? 0;
    const publish = (verdict: Verdict, error?: unknown): void => {
      const at = this.#clock?.now() ?? 0;
      const handler = current.name;
      const duration = at - began;
      chainChannel.publish({ at, node: this.#node, packet, handler, verdict, error, duration });
    };
    const fail = (error: unknown): never => {
      publish(undefined, error);
      throw error;
    };
    const done = (verdict: Verdict): Verdict => {
      publish(verdict);
      return verdict;
    };
    try {
      const outcome = step(current, packet, leg, from);
      return isPending(outcome) ? outcome.then(done, fail) : done(outcome);
    } catch (error) {
      return fail(error);
    }
  }

  #accepts(packet: Packet, leg: Leg, peer: Peer): boolean {
    if (this.#methods !== undefined && !this.#methods.has(packet.method)) return false;
    return this.#filter === undefined || this.#filter(packet, leg, peer);
  }

  #allowed(): readonly Method[] {
    const all = new Set(this.#links.flatMap(({ handler }) => handler.allows ?? []));
    return [...all].filter((method) => this.#methods === undefined || this.#methods.has(method));
  }
}

function step({ name, handler }: Link, packet: Packet, leg: Leg, from: Peer): Outcome {
  try {
    const outcome = handler.receive(packet, leg, from);
    if (typeof outcome === "object" && outcome !== null && isPending(outcome)) {
      return outcome.then(
        (verdict) => settle(verdict, name, packet),
        (error: unknown) => {
          throw nameError(error, name);
        },
      );
    }
    return settle(outcome, name, packet);
  } catch (error) {
    throw nameError(error, name);
  }
}

function settle(given: unknown, name: string, packet: Packet): Verdict {
  if (given === undefined || given === false) return given;
  const verdict = checkVerdict(given, packet, name);
  if (packet.get(claimant) === undefined) packet.set(claimant, name);
  return verdict;
}

function sends(handler: Handler): boolean {
  return handler instanceof ReceiveChain ? handler.hasSenders : handler.beforeSend !== undefined;
}

/** A chain, the handlers in it and in the chains in it, each once, in order. */
function members(handler: Handler, seen: Set<Handler>): Set<Handler> {
  if (seen.has(handler)) return seen;
  seen.add(handler);
  if (handler instanceof ReceiveChain) for (const inner of handler.handlers) members(inner, seen);
  return seen;
}
