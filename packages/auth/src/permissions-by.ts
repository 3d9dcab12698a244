import { AddressList, type Awaitable, isPromise, readSipUri, type Server } from "@sipkit/core";
import { AddressPattern } from "./address-pattern.ts";
import type { MayRegister } from "./authorize-options.ts";
import { type Addresses, addressesOf } from "./owned-addresses.ts";
import type { Permission } from "./permission.ts";

/**
 * The request-URI is one of these: see `AddressPattern` for what a pattern is. Not with a Route of the sender's own, which
 * would lead it elsewhere.
 *
 * @example
 * calls("sip:*@example.com", "tel:+49*");
 */
export function calls(...patterns: readonly string[]): Permission {
  const wanted = patterns.map((pattern) => new AddressPattern(pattern));
  return (request, _identity, server) =>
    !request.headers.has("route") && wanted.some((pattern) => pattern.matches(request.uri, server));
}

/** Its sender is one of these users, or a function says so. */
export function memberOf(
  group: Iterable<string> | ((user: string, realm: string) => Awaitable<boolean>),
): Permission {
  if (typeof group === "function") {
    return (_request, identity) => identity !== undefined && group(identity.user, identity.realm);
  }
  const users = new Set(typeof group === "string" ? [group] : group);
  return (_request, identity) => identity !== undefined && users.has(identity.user);
}

/**
 * From is its sender's: his own address-of-record, or one that the table gives him, the same that `mayRegister` takes.
 *
 * @example
 * new Authorize({ realm, credentials, mayRegister: owned, filter: { "*": speaksAs(owned) } });
 */
export function speaksAs(owned: MayRegister = {}): Permission {
  const lookUp = addressesOf(owned);
  return (request, identity, server) => {
    const wanted = server.addressOfRecord(request.from.uri);
    if (wanted === undefined || identity === undefined) return false;
    if (wanted === server.addressOfRecord(identity.addressOfRecord)) return true;
    const more = lookUp(identity.user, identity.realm);
    return isPromise(more)
      ? more.then((addresses) => isAmong(wanted, addresses, server))
      : isAmong(wanted, more, server);
  };
}

/** From hides its sender, as RFC 3323 has it: `anonymous.invalid`. Whoever lets this pass asserts who it is. */
export const anonymousFrom: Permission = (request) =>
  readSipUri(request.from.uri)?.host.toLowerCase() === "anonymous.invalid";

/** It comes from one of these addresses, or blocks as `192.0.2.0/24`. Over UDP anybody can write another's as his own. */
export function comesFrom(...addresses: readonly string[]): Permission {
  const list = new AddressList("comesFrom", addresses);
  return (request) => request.arrival !== undefined && list.has(request.arrival.from.address);
}

/** It comes over a connection whose certificate proves one of these names. RFC 5922 §7.1 */
export function certifiedAs(...names: readonly string[]): Permission {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return ({ arrival }) =>
    arrival?.from.connection?.identities?.some((name) => wanted.has(name)) ?? false;
}

function isAmong(wanted: string, addresses: Addresses, server: Server): boolean {
  const list = typeof addresses === "string" ? [addresses] : (addresses ?? []);
  return list.some((address) => server.addressOfRecord(address) === wanted);
}
