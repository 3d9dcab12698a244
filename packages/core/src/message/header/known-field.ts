import { ParseError } from "../../errors.ts";
import type { KnownField } from "../header-field.ts";
import { headerName } from "../header-names.ts";
import { formatNameAddr, type NameAddr, scanNameAddr } from "../name-addr.ts";
import { skipSpace, tokenEnd, trimSpace } from "../octets.ts";
import { Wire } from "../wire.ts";

/** A field of a known header, from the function that reads it in place. */
export function knownField<T>(
  id: number,
  scan: (wire: Wire, start: number, end: number) => T,
  format: (value: T) => string,
): KnownField<T> {
  return {
    id,
    name: headerName(id),
    scan,
    parse: (value) => scan(Wire.of(value), 0, value.length),
    format,
  };
}

/** A field whose value is its text. */
export function textField(id: number): KnownField<string> {
  return knownField(
    id,
    ({ text, octets }, start, end) => {
      const first = skipSpace(octets, start, end);
      return text.slice(first, trimSpace(octets, first, end));
    },
    (value) => value,
  );
}

/** A field whose value is an option tag: a token, so that an answer can repeat it. RFC 3261 §19.2 */
export function optionField(id: number): KnownField<string> {
  const name = headerName(id);
  return knownField(
    id,
    ({ text, octets }, start, end) => {
      const first = skipSpace(octets, start, end);
      const stop = tokenEnd(octets, first, end);
      if (stop === first || stop !== trimSpace(octets, first, end)) {
        throw new ParseError(`Malformed ${name}`, { header: name, offset: first });
      }
      return text.slice(first, stop);
    },
    (value) => value,
  );
}

/** A field that is a name-addr or addr-spec with parameters. */
export function nameAddrField(id: number): KnownField<NameAddr> {
  const name = headerName(id);
  return knownField(id, (wire, start, end) => scanNameAddr(wire, start, end, name), formatNameAddr);
}
