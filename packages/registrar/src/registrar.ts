import { EventEmitter } from "node:events";
import {
  dialogRoute,
  type Handler,
  type Method,
  type Outcome,
  type Packet,
  type Request,
  type Response,
  type Server,
  SipError,
  targets,
  type Verdict,
  whenKnown,
} from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { type CurrentBinding, currentBindings, targetsOf } from "./binding-targets.ts";
import { readContacts } from "./contact-requests.ts";
import type { BindingEvent, BindingEventName, RegistrarEvents } from "./events.ts";
import { ExpiryTimer } from "./expiry-timer.ts";
import { mapFailure, recover, runDetached } from "./failures.ts";
import type { LocationStore } from "./location-store.ts";
import { RegisterAnswers, refuseUnknownExtensions } from "./register-answers.ts";
import { readFacts, senderOf } from "./register-facts.ts";
import { RegisterFailures } from "./register-failures.ts";
import { RegisterUpdate } from "./register-update.ts";
import { type RegistrarOptions, type RegistrarSettings, readOptions } from "./registrar-options.ts";
import { ServedDomains } from "./served-domains.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** Bindings that expire in one turn of the event loop. */
const EXPIRY_BATCH = 1000;
/** Milliseconds until a store that failed, or had nothing, is asked again. */
const EXPIRY_RETRY = 1000;

/** What there is between `start` and `close`. */
interface Life {
  readonly server: Server;
  readonly domains: ServedDomains;
  readonly timer: ExpiryTimer;
  readonly failures: RegisterFailures;
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
  readonly #answers = new RegisterAnswers();
  #life: Life | undefined;

  constructor(options: RegistrarOptions = {}) {
    this.#settings = readOptions(options);
    this.#store = this.#settings.store;
  }

  start(server: Server): void | Promise<void> {
    const timer = new ExpiryTimer(server.clock, () => this.#wake());
    const domains = new ServedDomains(server, this.#settings.domains);
    this.#life = { server, domains, timer, failures: new RegisterFailures(server) };
    // A store that is away for now doesn't keep the server from starting: it is asked again.
    const recovered = (cause: unknown): void => {
      if (!(cause instanceof StoreUnavailable)) throw cause;
      this.#askAgain(cause);
    };
    return recover(() => this.#rearm(), recovered);
  }

  close(): void | Promise<void> {
    this.#life?.timer.stop();
    return this.#store.close?.();
  }

  receive(packet: Packet): Outcome {
    if (!packet.isRequest) return undefined;
    const { method } = packet;
    if (method === "ACK" || method === "CANCEL" || packet.get(dialogRoute) !== undefined) {
      return undefined;
    }
    return method === "REGISTER" ? this.#register(packet) : this.#lookUp(packet);
  }

  /** The bindings in force of a user, given by a URI as a message writes it; none of whom nobody knows. */
  query(uri: string): readonly CurrentBinding[] | Promise<readonly CurrentBinding[]> {
    const { server, domains } = this.#started();
    const addressOfRecord = domains.addressOfRecord(uri);
    if (addressOfRecord === undefined) return [];
    return whenKnown(this.#store.read(addressOfRecord), (bindings = []) =>
      currentBindings(bindings, server.clock.wall()),
    );
  }

  /** Removes the bindings whose time is over and tells how many; it happens by itself too. */
  expire(): number | Promise<number> {
    return whenKnown(this.#expireBatch(), (count) =>
      count < EXPIRY_BATCH ? count : whenKnown(this.expire(), (more) => count + more),
    );
  }

  #register(request: Request): Outcome {
    const { server, domains, failures } = this.#started();
    // §10.3 step 1: another domain is the proxy's to forward to.
    if (!domains.covers(request.uri)) return undefined;
    // Step 2. Steps 3 and 4, who it is and whether she may, are the authenticator's, before us.
    const refused = refuseUnknownExtensions(request);
    if (refused !== undefined) return refused;
    // Step 5: whose bindings, in canonical form, and do they belong to the domain that was asked?
    const addressOfRecord = domains.addressOfRecord(request.to.uri);
    if (addressOfRecord === undefined) {
      // §10.2: an address-of-record is a SIP or SIPS URI. RFC 4475 §3.3.4
      if (!/^sips?:/i.test(request.to.uri)) {
        return request.createResponse(400, { reason: "To Is No SIP URI" });
      }
      return domains.leavesOthers(request.uri) ? undefined : request.createResponse(404);
    }
    if (!domains.belongs(addressOfRecord, request.uri)) return request.createResponse(404);
    // Step 6: no Contact, nothing changes.
    if (!request.headers.has("contact")) {
      return this.#read(addressOfRecord, (bindings = []) =>
        this.#answers.ok(request, bindings, server.clock.wall()),
      );
    }
    return mapFailure(() => this.#update(request, addressOfRecord), failures.ofUpdate);
  }

  /** Steps 6 and 7: all or nothing. A store that fails throws, which is answered 500. */
  #update(request: Request, addressOfRecord: string): Response | Promise<Response> {
    const { server } = this.#started();
    const { limits, maxBindings } = this.#settings;
    const contacts = readContacts(request, senderOf(request, server), limits);
    const facts = readFacts(request, addressOfRecord, server.clock.wall());
    const update = new RegisterUpdate(facts, contacts, maxBindings);
    const kept = this.#store.update(addressOfRecord, (bindings) => update.apply(bindings));
    return whenKnown(kept, (bindings) => this.#committed(request, update, bindings));
  }

  #committed(request: Request, update: RegisterUpdate, bindings: readonly Binding[]): Response {
    const { server, timer, failures } = this.#started();
    failures.storeIsBack();
    for (const [name, event] of update.changes) this.#tell(name, event);
    if (update.changes.length > 0) {
      for (const binding of bindings) timer.arm(binding.expiresAt);
    }
    return this.#answers.ok(request, bindings, server.clock.wall());
  }

  #lookUp(request: Request): Outcome {
    const { server, domains } = this.#started();
    const addressOfRecord = domains.addressOfRecord(request.uri);
    if (addressOfRecord === undefined || request.get(targets) !== undefined) return undefined;
    return this.#read(addressOfRecord, (bindings) => {
      const found = targetsOf(bindings ?? [], server.clock.wall());
      const best = found[0];
      if (best === undefined) return this.#unreachable(request, addressOfRecord, bindings);
      request.set(targets, found);
      request.uri = best.uri;
      return undefined;
    });
  }

  /** Reads for a request: a store that is away is answered 503. */
  #read(
    addressOfRecord: string,
    next: (bindings: readonly Binding[] | undefined) => Outcome,
  ): Outcome {
    const { failures } = this.#started();
    const bindings = mapFailure(() => this.#store.read(addressOfRecord), failures.ofRead);
    return whenKnown<readonly Binding[] | undefined, Verdict>(bindings, next);
  }

  /** §21.4.18: 480 for a user who isn't here now; §21.4.5: 404 for one who doesn't exist. */
  #unreachable(
    request: Request,
    addressOfRecord: string,
    bindings: readonly Binding[] | undefined,
  ): Outcome {
    if (bindings !== undefined) return request.createResponse(480);
    const at = addressOfRecord.lastIndexOf("@");
    const user = addressOfRecord.slice("sip:".length, at);
    return whenKnown(
      this.#settings.knownUsers(user, addressOfRecord.slice(at + 1)),
      (known): Outcome => request.createResponse(known ? 480 : 404),
    );
  }

  #expireBatch(): number | Promise<number> {
    const now = this.#started().server.clock.wall();
    return whenKnown(this.#store.expire(now, EXPIRY_BATCH), (expired) => {
      for (const event of expired) this.#tell("expired", event);
      return expired.length;
    });
  }

  #wake(): void {
    const failed = (cause: unknown): void => this.#askAgain(cause);
    runDetached(() => whenKnown(this.#expireBatch(), (count) => this.#rearm(count)), failed);
  }

  /** After the store failed to expire. */
  #askAgain(cause: unknown): void {
    const { server, timer, failures } = this.#started();
    if (cause instanceof StoreUnavailable) failures.reportAway(cause);
    else server.report(new SipError("SIP_STORE", "the location store failed to expire", { cause }));
    timer.arm(server.clock.wall() + EXPIRY_RETRY);
  }

  /** `count`: how many the last batch had. A store that calls for the next one and has nothing for it must wait. */
  #rearm(count = 1): void | Promise<void> {
    const { server, timer } = this.#started();
    return whenKnown(this.#store.nextExpiry(), (next) => {
      if (next === undefined) return;
      const now = server.clock.wall();
      timer.arm(next > now || count > 0 ? next : now + EXPIRY_RETRY);
    });
  }

  #tell(name: BindingEventName, event: BindingEvent): void {
    if (this.events.listenerCount(name) === 0) return;
    try {
      this.events.emit(name, event);
    } catch (cause) {
      const error = new SipError("SIP_LISTENER", `a listener of "${name}" threw`, { cause });
      this.#started().server.report(error, { handler: this.constructor.name });
    }
  }

  #started(): Life {
    if (this.#life !== undefined) return this.#life;
    throw new SipError("SIP_NOT_STARTED", "the registrar has no server before start()");
  }
}
