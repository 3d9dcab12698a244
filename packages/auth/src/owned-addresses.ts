import type { Awaitable } from "@sipkit/core";
import type { MayRegister } from "./authorize-options.ts";

/** What a {@link MayRegister} gives for a user. */
export type Addresses = string | readonly string[] | undefined;

/** Looks up in a table, or asks a function, which addresses-of-record a user owns besides his own. */
export function addressesOf(
  given: MayRegister,
): (user: string, realm: string) => Awaitable<Addresses> {
  if (typeof given === "function") return given;
  const table = new Map(Object.entries(given));
  return (user) => table.get(user);
}
