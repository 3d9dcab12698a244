import { skipSpace, trimSpace } from "../chars.ts";
import type { KnownField } from "../header-field.ts";
import { headerName } from "../header-names.ts";
import { formatNameAddr, type NameAddr, scanNameAddr } from "../name-addr.ts";

/** A field of a known header, from the function that reads it in place. */
export function knownField<T>(
  id: number,
  scan: (text: string, start: number, end: number) => T,
  format: (value: T) => string,
): KnownField<T> {
  return {
    id,
    name: headerName(id),
    scan,
    parse: (value) => scan(value, 0, value.length),
    format,
  };
}

/** A field whose value is its text. */
export function textField(id: number): KnownField<string> {
  return knownField(
    id,
    (text, start, end) => {
      const first = skipSpace(text, start, end);
      return text.slice(first, trimSpace(text, first, end));
    },
    (value) => value,
  );
}

/** A field that is a name-addr or addr-spec with parameters. */
export function nameAddrField(id: number): KnownField<NameAddr> {
  const name = headerName(id);
  return knownField(id, (text, start, end) => scanNameAddr(text, start, end, name), formatNameAddr);
}
