import {
  type Awaitable,
  type Identity,
  isPromise,
  parseUri,
  type Request,
  type Server,
  unescapeUser,
  uriEquals,
} from "@sipkit/core";
import type { OwnAddresses } from "./own-addresses.ts";

/**
 * A condition that is known by name.
 *
 * - `FromIsRealm`: From has a domain of the realm's
 * - `FromIsAuthUser`: From's user is the one who authenticated, whatever its domain
 * - `ToIsFrom`: To and From are the same address
 */
export type FilterName = "FromIsRealm" | "FromIsAuthUser" | "ToIsFrom";

/** A condition of one's own: whether the request of a proved identity may pass, now or later. */
export type Predicate = (
  request: Request,
  identity: Identity,
  server: Server,
) => Awaitable<boolean>;

export type Filter = FilterName | Predicate;

/**
 * By method, what a request must fulfil after its sender is proved, else it is refused with 403. All conditions of a
 * list must hold; an empty list asks for nothing. `"*"` stands for the methods that aren't named.
 */
export type FilterTable = Readonly<Record<string, Filter | readonly Filter[]>>;

/** Conditions by method, ready to be asked. */
export class Filters {
  readonly #byMethod: ReadonlyMap<string, readonly Filter[]>;
  readonly #own: OwnAddresses;
  readonly #server: Server;

  constructor(table: FilterTable, own: OwnAddresses, server: Server) {
    this.#byMethod = new Map(
      Object.entries(table).map(([method, filters]) => [method, listOf(filters)]),
    );
    this.#own = own;
    this.#server = server;
  }

  /** The conditions for a method; `undefined` when the table says nothing of it. */
  of(method: string): readonly Filter[] | undefined {
    return this.#byMethod.get(method) ?? this.#byMethod.get("*");
  }

  /** Whether all conditions hold, from the one at `from` on. */
  pass(
    filters: readonly Filter[],
    request: Request,
    identity: Identity,
    from: number = 0,
  ): Awaitable<boolean> {
    for (let i = from; i < filters.length; i++) {
      const result = this.#test(filters[i] as Filter, request, identity);
      if (isPromise(result)) {
        return result.then((holds) =>
          holds === true ? this.pass(filters, request, identity, i + 1) : false,
        );
      }
      // Whatever isn't true, also from untyped code, is no.
      if (result !== true) return false;
    }
    return true;
  }

  #test(filter: Filter, request: Request, identity: Identity): Awaitable<boolean> {
    switch (filter) {
      case "FromIsRealm":
        return this.#own.isOurs(request.from.uri);
      case "FromIsAuthUser":
        return userOf(request.from.uri) === identity.user;
      case "ToIsFrom":
        return uriEquals(request.to.uri, request.from.uri);
      default:
        return filter(request, identity, this.#server);
    }
  }
}

export const filterNames: readonly string[] = ["FromIsRealm", "FromIsAuthUser", "ToIsFrom"];

export function listOf(filters: Filter | readonly Filter[]): readonly Filter[] {
  return typeof filters === "string" || typeof filters === "function" ? [filters] : filters;
}

function userOf(text: string): string | undefined {
  const uri = parseUri(text);
  return "host" in uri && uri.user !== undefined ? unescapeUser(uri.user) : undefined;
}
