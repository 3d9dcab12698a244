import type { HeaderField } from "./header-field.ts";

/** Headers to begin with: a record, or pairs in order. A list makes one line a value. */
export type HeadersInit =
  | Readonly<Record<string, string | readonly string[]>>
  | Iterable<readonly [name: string, value: string]>;

/** A value that has parameters: Via, From, To, Route, Content-Type, credentials and challenges. */
export interface WithParams {
  readonly params: { get(name: string): string | undefined };
}

/**
 * The headers of a message, in order. Names are given in any case or in their compact form, and find both. Values are
 * text: unfolded, decoded from UTF-8 where they hold more than ASCII. Iterating gives each line: its name as it is
 * spelled, and its value whole.
 *
 * What is set must hold neither CR nor LF nor NUL, and a name must be a token: else a `SipError` `SIP_BAD_HEADER`.
 *
 * RFC 3261 §7.3
 */
export interface Headers extends Iterable<readonly [name: string, value: string]> {
  /** The first value. A header whose grammar is a list (Via, Contact, Route, Supported …) is split at its commas. */
  get(name: string): string | undefined;
  /** Every value, of all lines of that name; lists are split as in {@link get}. */
  getAll(name: string): readonly string[];
  has(name: string): boolean;
  /** Replaces every line of that name, in the place of the first; at the end when there was none. */
  set(name: string, value: string | readonly string[]): void;
  /** Adds a line after the last of that name, else at the end. */
  append(name: string, value: string): void;
  /** Adds a line before the first of that name, else on top. */
  prepend(name: string, value: string): void;
  /** Removes every line of that name and tells whether there was one. */
  delete(name: string): boolean;
  /** Takes the first value off and gives it: also out of a list, whose rest stays. */
  shift(name: string): string | undefined;
  /** The first value, parsed once. Throws the field's `ParseError` when it is malformed. */
  read<T>(field: HeaderField<T>): T | undefined;
  /**
   * One parameter (its name in lower case) of the first value, without reading the rest of it: an Authorization's
   * username, a Via's received. `undefined` when there is none. Throws as {@link read} does, when it comes to that.
   */
  param<T extends WithParams>(field: HeaderField<T>, name: string): string | undefined;
  /** Every value, parsed. Throws the field's `ParseError` when one is malformed. */
  readAll<T>(field: HeaderField<T>): readonly T[];
  /** Sets a header from its value or values, one line each. */
  write<T>(field: HeaderField<T>, value: T | readonly T[]): void;
}
