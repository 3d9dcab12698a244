import { ParseError } from "../../errors.ts";
import { digitsOf, skipSpace, trimSpace } from "../chars.ts";
import type { KnownField } from "../header-field.ts";
import { headerName } from "../header-names.ts";
import { knownField } from "./known-field.ts";

/** The highest delta-seconds. RFC 3261 §20.19 */
export const MAX_SECONDS = 4294967295;

/** A field that is a whole number and nothing else. */
export function numberField(id: number, max: number): KnownField<number> {
  const name = headerName(id);
  return knownField(
    id,
    (text, start, end) => {
      const first = skipSpace(text, start, end);
      const number = digitsOf(text, first, trimSpace(text, first, end), max);
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
