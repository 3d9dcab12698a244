import { type Awaitable, type Identity, isPromise, type Request, type Server } from "@sipkit/core";
import type { CheckedOptions } from "./authorize-options.ts";
import { type Filter, Filters } from "./filter.ts";
import { OwnAddresses } from "./own-addresses.ts";
import { type Addresses, addressesOf } from "./owned-addresses.ts";

const DEFAULT_FILTERS: readonly Filter[] = ["FromIsRealm", "FromIsAuthUser"];

/** What a user who proved who he is may do. */
export class Permissions {
  readonly #server: Server;
  readonly #realm: string;
  readonly #own: OwnAddresses;
  readonly #filters: Filters;
  readonly #mayRegister: (user: string, realm: string) => Awaitable<Addresses>;

  constructor(
    options: Pick<CheckedOptions, "realm" | "domains" | "filter" | "mayRegister">,
    server: Server,
  ) {
    const { realm, domains, filter, mayRegister = {} } = options;
    this.#server = server;
    this.#realm = realm;
    this.#own = new OwnAddresses(server, realm, domains);
    this.#filters = new Filters(filter, this.#own, server);
    this.#mayRegister = addressesOf(mayRegister);
  }

  /** Whom right credentials prove; `scheme` says how. */
  identityOf(user: string, scheme: string): Identity {
    return {
      user,
      realm: this.#realm,
      addressOfRecord: this.#own.of(user),
      scheme,
      at: this.#server.clock.wall(),
    };
  }

  /** Whether a user may send this; `isOurs`: it is for this server itself. */
  allow(request: Request, identity: Identity, isOurs: boolean): Awaitable<boolean> {
    const isRegistration = isOurs && request.method === "REGISTER";
    const filters = this.#filters.of(request.method) ?? (isRegistration ? [] : DEFAULT_FILTERS);
    const passes = this.#filters.pass(filters, request, identity);
    if (!isRegistration) return passes;
    return isPromise(passes)
      ? passes.then((holds) => holds && this.#maySpeakFor(request.to.uri, identity.user))
      : passes && this.#maySpeakFor(request.to.uri, identity.user);
  }

  /** RFC 3261 §10.3 step 4 */
  #maySpeakFor(uri: string, user: string): Awaitable<boolean> {
    if (this.#own.isOwn(uri, user)) return true;
    const more = this.#mayRegister(user, this.#realm);
    return isPromise(more)
      ? more.then((addresses) => this.#isAmong(uri, addresses))
      : this.#isAmong(uri, more);
  }

  #isAmong(uri: string, addresses: Addresses): boolean {
    const wanted = this.#server.addressOfRecord(uri);
    if (wanted === undefined || addresses === undefined) return false;
    const list = typeof addresses === "string" ? [addresses] : addresses;
    return list.some((address) => this.#server.addressOfRecord(address) === wanted);
  }
}
