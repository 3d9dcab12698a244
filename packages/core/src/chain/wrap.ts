import type { Connection, Leg, Peer } from "../arrival.ts";
import type { Method } from "../message/method.ts";
import type { AnyHandler, Handler, Outcome, Packet } from "./handler.ts";
import { asHandler, handlerName } from "./link.ts";
import type { Server } from "./server.ts";

/** What runs around a handler: calls `next()` for the handler's own verdict, or doesn't. */
export type Around = (next: () => Outcome, packet: Packet, leg: Leg, from: Peer) => Outcome;

/** A handler with code around it; made by {@link wrap}. */
class WrappedHandler implements Handler {
  readonly name: string;
  readonly allows: readonly Method[];
  readonly takesCancel: boolean;
  readonly #inner: Handler;
  readonly #around: Around;

  constructor(inner: AnyHandler, around: Around) {
    this.#inner = asHandler(inner);
    this.#around = around;
    this.name = handlerName(inner);
    this.allows = this.#inner.allows ?? [];
    this.takesCancel = this.#inner.takesCancel ?? false;
  }

  receive(packet: Packet, leg: Leg, from: Peer): Outcome {
    return this.#around(() => this.#inner.receive(packet, leg, from), packet, leg, from);
  }

  beforeSend(packet: Packet, leg: Leg, to: Peer): void {
    this.#inner.beforeSend?.(packet, leg, to);
  }

  connectionClosed(connection: Connection, leg: Leg): void {
    this.#inner.connectionClosed?.(connection, leg);
  }

  start(server: Server): void | Promise<void> {
    return this.#inner.start?.(server);
  }

  close(): void | Promise<void> {
    return this.#inner.close?.();
  }
}

/**
 * Puts code around a handler (timing, guarding) and keeps its name, hooks and life cycle.
 *
 * @example
 * const guarded = wrap(registrar, (next, packet, leg, from) => (banned.has(from.address) ? "drop" : next()));
 */
export function wrap(inner: AnyHandler, around: Around): Handler {
  return new WrappedHandler(inner, around);
}
