import type { Wire } from "./wire.ts";

/**
 * A header as a typed value: how one value of it is read and written. A header of your own is another object of this
 * shape.
 *
 * @example
 * const sessionExpires: HeaderField<number> = {
 *   name: "Session-Expires",
 *   compact: "x",
 *   parse: (value) => Number.parseInt(value, 10),
 *   format: (seconds) => String(seconds),
 * };
 * request.headers.read(sessionExpires);
 */
export interface HeaderField<in out T> {
  /** In the spelling that is written; read in any case. */
  readonly name: string;
  /** The one-letter form, where there is one. RFC 3261 §7.3.3 */
  readonly compact?: string;
  /** Reads one value: unfolded, decoded, without white space at either end. Throws a `ParseError`. */
  parse(value: string): T;
  /** Writes one value. */
  format(value: T): string;
}

/** A header that is known here: it is found by number and read in place. */
export interface KnownField<in out T> extends HeaderField<T> {
  /** Its number in header-names.ts. */
  readonly id: number;
  /** Reads the value between two positions; white space around it is skipped. */
  scan(wire: Wire, start: number, end: number): T;
  /** Reads one parameter between two positions and as little else as may be, where that is worth it. */
  param?(wire: Wire, start: number, end: number, name: string): string | undefined;
}
