import { EventEmitter } from "node:events";
import {
  type Awaitable,
  type Connection,
  dialogRoute,
  type Handler,
  type Method,
  type Outcome,
  type Packet,
  type Server,
  SipError,
  whenKnown,
} from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { type CurrentBinding, currentBindings } from "./binding-targets.ts";
import type {
  BindingEvent,
  BindingEventName,
  ReachabilityEvent,
  RegistrarEvents,
} from "./events.ts";
import { ExpiryLoop } from "./expiry-loop.ts";
import { ExpiryTimer } from "./expiry-timer.ts";
import { Gruus } from "./gruu.ts";
import type { Life } from "./life.ts";
import { type ListOptions, listUsers, type RegistrationPage } from "./listing.ts";
import type { LocationStore } from "./location-store.ts";
import { LookUps } from "./look-ups.ts";
import { LostFlows } from "./lost-flows.ts";
import { Push } from "./push/push.ts";
import { PingStates } from "./qualify/ping-states.ts";
import { Qualifier } from "./qualify/qualifier.ts";
import { RegisterFailures } from "./register-failures.ts";
import { RegisterTally } from "./register-tally.ts";
import { type RegistrarOptions, type RegistrarSettings, readOptions } from "./registrar-options.ts";
import { Registrations } from "./registrations.ts";
import { type RemoveOptions, removeBindings } from "./removal.ts";
import { ServedDomains } from "./served-domains.ts";
import { StaticBindings } from "./static-bindings.ts";
import { UpdateOrder } from "./update-order.ts";

/** What a registrar has, and what it has answered since it was made. */
export interface RegistrarCounts {
  /** Addresses-of-record with bindings in the store, those of other processes too. */
  readonly users?: number;
  /** Left out where the store doesn't know. */
  readonly bindings?: number;
  /** REGISTERs that were answered 200, those that only asked for the bindings too. */
  readonly accepted: number;
  /** Those that were refused, by what they were answered: `{ "423 Interval Too Brief": 3 }`. */
  readonly refused: Readonly<Record<string, number>>;
  /** Bindings whose last ping from this process was answered. Left out, as those below, where nothing is pinged. */
  readonly reachable?: number;
  readonly unreachable?: number;
  /** Pings that are under way. */
  readonly pings?: number;
}

/** A registrar between `start` and `close`. */
interface Running extends Life {
  readonly registrations: Registrations;
  readonly lookUps: LookUps;
  readonly lost: LostFlows;
  readonly push: Push | undefined;
  readonly expiry: ExpiryLoop;
  readonly qualifier: Qualifier | undefined;
}

let readLife: (registrar: Registrar) => Life;

/** What a registrar that has started shares with its parts: for handlers of this package that stand beside it. */
export function lifeOf(registrar: Registrar): Life {
  return readLife(registrar);
}

/**
 * Keeps where users are reached: answers REGISTER for its domains, and gives every other request to a user of theirs
 * its `targets`. Requests within a dialog, ACK and CANCEL, and what isn't for its domains, go on untouched; so does a
 * request that has targets already.
 *
 * RFC 3261 §10.3
 *
 * @example
 * const registrar = new Registrar({ maxExpires: 3600 });
 * registrar.events.on("added", ({ addressOfRecord, binding }) => log(addressOfRecord, binding.uri));
 * new Dispatcher({ legs: ["udp:127.0.0.1:5060"], domains: ["example.com"], receiver: [registrar, new Proxy()] });
 */
export class Registrar implements Handler {
  readonly allows: readonly Method[] = ["REGISTER"];
  /** What becomes of each binding. A listener that throws is reported, and those after it are not called. */
  readonly events: EventEmitter<RegistrarEvents> = new EventEmitter<RegistrarEvents>();
  readonly #settings: RegistrarSettings;
  readonly #store: LocationStore;
  readonly #tally = new RegisterTally();
  #life: Running | undefined;
  #isClosed = false;

  static {
    readLife = (registrar) => registrar.#started();
  }

  constructor(options: RegistrarOptions = {}) {
    this.#settings = readOptions(options);
    this.#store = this.#settings.store;
  }

  start(server: Server): void | Promise<void> {
    const settings = this.#settings;
    const { gruu, qualify } = settings;
    const pings = qualify && new PingStates(qualify, server.random.token());
    const domains = new ServedDomains(server, settings);
    const life: Life = {
      server,
      settings,
      domains,
      store: this.#store,
      fixed: new StaticBindings(settings.static, (uri) => domains.addressOfRecord(uri)),
      gruus: gruu && new Gruus(gruu.secrets ?? [server.random.bytes(32)], server.random),
      order: new UpdateOrder(),
      timer: new ExpiryTimer(server.clock, () => this.#life?.expiry.wake()),
      failures: new RegisterFailures(server),
      tell: (name, event) => this.#tell(name, event),
      pings,
      announce: (name, event) => this.#emit(name, event),
    };
    const lost = new LostFlows(life);
    const push = settings.push && new Push(life, settings.push);
    const lookUps = new LookUps(life, lost, push);
    const qualifier = qualify && pings && new Qualifier(life, lost, qualify, pings);
    const expiry = new ExpiryLoop(life);
    const registrations = new Registrations(life);
    this.#life = { ...life, registrations, lookUps, lost, push, expiry, qualifier };
    push?.start();
    return expiry.start();
  }

  close(): void | Promise<void> {
    this.#isClosed = true;
    this.#life?.timer.stop();
    this.#life?.push?.close();
    this.#life?.qualifier?.close();
    return this.#store.close?.();
  }

  receive(packet: Packet): Outcome {
    if (!packet.isRequest) return undefined;
    const { method } = packet;
    const { registrations, lookUps } = this.#started();
    const within = packet.get(dialogRoute);
    if (within !== undefined) return lookUps.retarget(packet, within);
    if (method === "ACK" || method === "CANCEL") return undefined;
    return method === "REGISTER"
      ? this.#tally.answer(registrations, packet)
      : lookUps.answer(packet);
  }

  /** A connection was lost, and with it what is reached by it. RFC 5626 §7 */
  connectionClosed(connection: Connection): undefined {
    if (!this.#isClosed) this.#started().lost.connectionClosed(connection.id);
  }

  /** The bindings in force of a user, given by a URI as a message writes it; none of whom nobody knows. */
  query(uri: string): readonly CurrentBinding[] | Promise<readonly CurrentBinding[]> {
    const life = this.#started();
    const addressOfRecord = life.domains.addressOfRecord(uri);
    if (addressOfRecord === undefined) return [];
    return whenKnown(this.#store.read(addressOfRecord), (bindings = []) =>
      currentBindings(life, addressOfRecord, bindings),
    );
  }

  /**
   * The users who have bindings, with those in force, page by page and in an order of the store's own. Who is there from
   * the first page to the last is on one of them. A page may have few users, or none, before the last one; users with
   * static bindings alone are on none. Throws `SIP_BAD_OPTION` for a limit that is none, `SIP_BAD_CURSOR` for an `after`
   * that no page gave.
   *
   * @example
   * let after: string | undefined;
   * do {
   *   const page = await registrar.list({ after, limit: 500 });
   *   for (const { addressOfRecord, bindings } of page.users) log(addressOfRecord, bindings.length);
   *   after = page.next;
   * } while (after !== undefined);
   */
  list(options: ListOptions = {}): Awaitable<RegistrationPage> {
    return listUsers(this.#started(), options);
  }

  /**
   * Removes all bindings in force of a user, given by a URI as a message writes it, or the one of an `id`; gives what
   * was removed. A phone that is still configured comes back with its next REGISTER, and static bindings stay.
   *
   * @example
   * await registrar.remove("sip:alice@example.com", { by: "support" });
   */
  remove(uri: string, options: RemoveOptions = {}): Awaitable<readonly Binding[]> {
    const life = this.#started();
    const addressOfRecord = life.domains.addressOfRecord(uri);
    return addressOfRecord === undefined ? [] : removeBindings(life, addressOfRecord, options);
  }

  /** How many users and bindings there are, and how many REGISTERs were accepted and refused. */
  counts(): Awaitable<RegistrarCounts> {
    const { accepted, refused } = this.#tally;
    const pinged = this.#life?.qualifier?.counts();
    return whenKnown(this.#store.counts?.() ?? {}, (kept) => ({
      ...kept,
      accepted,
      refused,
      ...pinged,
    }));
  }

  /** Removes the bindings whose time is over and tells how many; it happens by itself too. */
  expire(): number | Promise<number> {
    return this.#started().expiry.run();
  }

  #tell(name: BindingEventName, event: BindingEvent): void {
    this.#life?.lost.note(name, event);
    this.#life?.push?.note(name, event);
    this.#life?.pings?.note(name, event);
    this.#emit(name, event);
  }

  #emit(name: keyof RegistrarEvents, event: BindingEvent | ReachabilityEvent): void {
    if (this.events.listenerCount(name) === 0) return;
    try {
      this.events.emit(name, event);
    } catch (cause) {
      const error = new SipError("SIP_LISTENER", `a listener of "${name}" threw`, { cause });
      this.#started().server.report(error, { handler: this.constructor.name });
    }
  }

  #started(): Running {
    if (this.#life !== undefined) return this.#life;
    throw new SipError("SIP_NOT_STARTED", "the registrar has no server before start()");
  }
}
