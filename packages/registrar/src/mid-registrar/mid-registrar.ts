import {
  type Connection,
  dialogRoute,
  type Handler,
  isPromise,
  type Method,
  type Outcome,
  type Packet,
  type Request,
  readSipUri,
  type Server,
  SipError,
  targets,
} from "@sipkit/core";
import { chosenBinding } from "../chosen-binding.ts";
import type { LocationStore } from "../location-store.ts";
import { memoryStore } from "../memory-store.ts";
import { Registrar } from "../registrar.ts";
import { readOptions } from "../registrar-options.ts";
import { ServedDomains } from "../served-domains.ts";
import { UpdateOrder } from "../update-order.ts";
import { userUri } from "../user-uri.ts";
import { ContactTokens, isTokenLike } from "./contact-tokens.ts";
import { Grants } from "./grants.ts";
import {
  type MidRegistrarOptions,
  type MidRegistrarSettings,
  readMidOptions,
} from "./mid-registrar-options.ts";
import { PendingUsers } from "./pending-users.ts";
import { StaleContacts } from "./stale-contacts.ts";
import { Upstream } from "./upstream.ts";
import { type MidLife, UpstreamApproval } from "./upstream-approval.ts";

/** A mid-registrar between `start` and `close`. */
interface Running extends MidLife {
  readonly approval: UpstreamApproval;
  readonly domains: ServedDomains;
}

/**
 * Stands before a slow registrar. It keeps the devices' bindings itself, in a {@link Registrar}, and tells the other one of
 * each device, or each user, once in a long while; what refreshes come meanwhile it answers alone. A device's credentials
 * go there as they are, and challenges come back, where no `Authorize` stands before it.
 *
 * Calls come from the other registrar to Contacts of ours, and get the `targets` that these stand for. Requests to users of
 * the domains go to the other registrar, which decides about them.
 *
 * RFC 3261 §10, §16
 *
 * @example
 * const registrar = new MidRegistrar({ upstream: "sip:192.0.2.5", maxExpires: 60 });
 * new Dispatcher({ legs: ["udp:192.0.2.1:5060"], domains: ["example.com"], receiver: [registrar, new Proxy()] });
 */
export class MidRegistrar implements Handler {
  readonly allows: readonly Method[] = ["REGISTER"];
  /** What keeps the bindings: to ask for them, and to listen to what becomes of them. */
  readonly registrar: Registrar;
  readonly #settings: MidRegistrarSettings;
  readonly #names: ConstructorParameters<typeof ServedDomains>[1];
  readonly #store: LocationStore;
  readonly #order = new UpdateOrder();
  readonly #pending: PendingUsers;
  #life: Running | undefined;

  /** Throws a `SipError` `SIP_BAD_OPTION` or `SIP_BAD_DOMAIN`. */
  constructor(options: MidRegistrarOptions) {
    this.#settings = readMidOptions(options);
    const { store = memoryStore() } = options;
    const own = { ...options, store, gruu: false };
    this.#store = store;
    this.#names = readOptions(own);
    this.#pending = new PendingUsers(this.#settings.maxPendingPerUser);
    this.registrar = new Registrar({
      ...own,
      // Whoever has a Contact of ours was told of a user.
      knownUsers: () => true,
      approve: (request, plan) => this.#started().approval.approve(request, plan),
    });
  }

  start(server: Server): void | Promise<void> {
    const settings = this.#settings;
    const { secrets = [server.random.bytes(32)], byPath, client } = settings;
    const life: MidLife = {
      server,
      settings,
      upstream: new Upstream(server, settings.upstream),
      grants: new Grants(settings.maxRemembered, () => server.count("grantsForgotten")),
      form: { server, tokens: new ContactTokens(secrets), byPath },
    };
    const domains = new ServedDomains(server, this.#names);
    this.#life = { ...life, approval: new UpstreamApproval(life), domains };
    if (client !== undefined) {
      const about = { store: this.#store, order: this.#order };
      const stale = new StaleContacts(life, {
        ...about,
        client: client === "none" ? undefined : client,
      });
      const { events } = this.registrar;
      for (const name of ["expired", "lost", "removed"] as const) events.on(name, stale.ended);
    }
    return this.registrar.start(server);
  }

  close(): void | Promise<void> {
    return this.registrar.close();
  }

  receive(packet: Packet): Outcome {
    if (!packet.isRequest) return undefined;
    const { method } = packet;
    if (method === "REGISTER") return this.#register(packet);
    if (method === "ACK" || method === "CANCEL") return undefined;
    if (packet.get(dialogRoute) !== undefined || packet.get(targets) !== undefined) {
      return undefined;
    }
    return this.#route(packet);
  }

  connectionClosed(connection: Connection): undefined {
    this.registrar.connectionClosed(connection);
  }

  #register(request: Request): Outcome {
    const { server, domains, settings } = this.#started();
    const { uri } = request.to;
    const user = domains.addressOfRecord(uri) ?? uri;
    if (this.#pending.isFull(user)) {
      server.count("registrationsWaitingFull");
      const headers = { "Retry-After": String(settings.retryAfter) };
      return request.createResponse(503, { headers });
    }
    const outcome = this.#order.run(user, () => this.registrar.receive(request));
    return isPromise(outcome) ? this.#pending.during(user, outcome) : outcome;
  }

  /** Requests to a Contact of ours go to what it stands for, those to users to the other registrar. */
  #route(request: Request): Outcome {
    const { domains, form, settings } = this.#started();
    const { user = "" } = readSipUri(request.uri) ?? {};
    if (domains.addressOfRecord(request.uri) === undefined) return undefined;
    const owner = form.tokens.open(user);
    if (owner !== undefined) {
      if (owner.mark !== undefined) request.set(chosenBinding, owner.mark);
      request.uri = userUri(owner.addressOfRecord);
      return this.registrar.receive(request);
    }
    if (isTokenLike(user)) return request.createResponse(404);
    if (!settings.sendsCalls) return undefined;
    const route = [`<${settings.upstream.uri};lr>`];
    const { uri } = request;
    request.set(targets, [{ uri, q: 1, route, expiresAt: Number.POSITIVE_INFINITY }]);
    return undefined;
  }

  #started(): Running {
    if (this.#life !== undefined) return this.#life;
    throw new SipError("SIP_NOT_STARTED", "the mid-registrar has no server before start()");
  }
}
