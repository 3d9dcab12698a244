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

/** An address-of-record, whose user is unescaped, as a URI. RFC 3261 §25.1 */
export function addressUri(addressOfRecord: string): string {
  const at = addressOfRecord.lastIndexOf("@");
  const user = addressOfRecord.slice("sip:".length, at);
  const escaped = user.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
  return `sip:${escaped}${addressOfRecord.slice(at)}`;
}
