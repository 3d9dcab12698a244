import {
  type Connection,
  type Handler,
  type Leg,
  type Method,
  type Outcome,
  type Packet,
  type Server,
  SipError,
} from "@sipkit/core";
import type { BindingEvent, BindingEventName } from "../events.ts";
import type { Life } from "../life.ts";
import { lifeOf, type Registrar } from "../registrar.ts";
import { Notifier } from "./notifier.ts";
import { type RegEventsOptions, type RegEventsSettings, readOptions } from "./options.ts";
import { Subscribers } from "./subscribers.ts";

/** How much a {@link RegEvents} keeps. */
export interface RegEventsCounts {
  readonly subscriptions: number;
  /** Users who are watched. */
  readonly users: number;
}

const EVENTS: readonly BindingEventName[] = ["added", "refreshed", "removed", "expired", "lost"];

/** Between `start` and `close`. */
interface Running {
  readonly notifier: Notifier;
  readonly subscribers: Subscribers;
  /** No listener of ours is left at the registrar then. */
  readonly stopListening: () => void;
}

/**
 * Tells phones and applications of a user's registrations: answers SUBSCRIBE with `Event: reg` to users of a registrar's
 * domains, and sends NOTIFYs. Stands behind the authenticator and before the registrar, which would give a SUBSCRIBE the
 * user's phones for targets.
 *
 * A user may watch her own registrations, others what `maySubscribe` allows. What another process changes in a shared store is seen
 * when something changes here, or a subscriber asks again.
 *
 * RFC 3680, RFC 5628, RFC 6665
 *
 * @example
 * const registrar = new Registrar();
 * const receiver = [authorize, new RegEvents(registrar), registrar, new Proxy()];
 */
export class RegEvents implements Handler {
  readonly allows: readonly Method[] = ["SUBSCRIBE"];
  readonly #registrar: Registrar;
  readonly #settings: RegEventsSettings;
  #running: Running | undefined;

  /** Throws `SIP_BAD_OPTION`. */
  constructor(registrar: Registrar, options: RegEventsOptions = {}) {
    this.#registrar = registrar;
    this.#settings = readOptions(options);
  }

  start(server: Server): void {
    const { events } = this.#registrar;
    // The registrar starts after us.
    const life = (): Life => lifeOf(this.#registrar);
    const notifier = new Notifier(server, life, this.#settings);
    const listeners = EVENTS.map((name) => {
      const listener = (event: BindingEvent): void => notifier.changed(name, event);
      events.on(name, listener);
      return () => events.off(name, listener);
    });
    const subscribers = new Subscribers(server, life, this.#settings, notifier);
    const stopListening = (): void => listeners.forEach((stop) => void stop());
    this.#running = { notifier, subscribers, stopListening };
  }

  /** Every subscriber is told to subscribe anew, to whoever is there then. */
  close(): void {
    this.#running?.stopListening();
    this.#running?.notifier.close();
  }

  receive(packet: Packet, leg: Leg): Outcome {
    if (!packet.isRequest || packet.method !== "SUBSCRIBE") return undefined;
    if (this.#running !== undefined) return this.#running.subscribers.answer(packet, leg);
    throw new SipError("SIP_NOT_STARTED", "RegEvents has no server before start()");
  }

  connectionClosed(connection: Connection): undefined {
    this.#running?.notifier.connectionClosed(connection.id);
  }

  /** How many watch, and how many are watched. */
  counts(): RegEventsCounts {
    const { subscriptions } = this.#running?.notifier ?? {};
    return { subscriptions: subscriptions?.size ?? 0, users: subscriptions?.users ?? 0 };
  }
}
