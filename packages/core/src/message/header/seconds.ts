import { ParseError } from "../../errors.ts";
import type { KnownField } from "../header-field.ts";
import { headerName } from "../header-names.ts";
import { digitsOf, skipSpace, trimSpace } from "../octets.ts";
import { knownField } from "./known-field.ts";

/** The highest delta-seconds. RFC 3261 §20.19 */
export const MAX_SECONDS = 4294967295;

/** A field that is a whole number and nothing else. */
export function numberField(id: number, max: number): KnownField<number> {
  const name = headerName(id);
  return knownField(
    id,
    ({ octets }, start, end) => {
      const first = skipSpace(octets, start, end);
      const number = digitsOf(octets, first, trimSpace(octets, first, end), max);
      if (number < 0) throw new ParseError(`Malformed ${name}`, { header: name, offset: first });
      return number;
    },
    String,
  );
}

/** A field that is a number of seconds. */
export function secondsField(id: number): KnownField<number> {
  return numberField(id, MAX_SECONDS);
}
