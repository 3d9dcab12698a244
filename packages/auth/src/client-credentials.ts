import type { Awaitable } from "@sipkit/core";
import type { Credential } from "./credentials.ts";

/** A user and his password, or his HA1s. */
export type ClientCredential = readonly [user: string, password: Credential];

/**
 * What a client proves itself with: one pair for whoever asks, pairs by realm, or a function of the realm, which gives
 * `undefined` for a realm that it knows nothing for. A pair for everybody is shown to everybody: prefer realms.
 */
export type ClientCredentials =
  | ClientCredential
  | Readonly<Record<string, ClientCredential>>
  | ((realm: string) => Awaitable<ClientCredential | undefined>);

/** What is known for a realm. */
export function clientCredential(
  credentials: ClientCredentials,
  realm: string,
): Awaitable<ClientCredential | undefined> {
  if (typeof credentials === "function") return credentials(realm);
  if (isPair(credentials)) return credentials;
  return Object.hasOwn(credentials, realm) ? credentials[realm] : undefined;
}

function isPair(credentials: ClientCredentials): credentials is ClientCredential {
  return Array.isArray(credentials);
}
