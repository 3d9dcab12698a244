import { SipError } from "../errors.ts";
import { isToken, isWord, quote, skipQuoted, skipSpace, trimSpace, unquote } from "./chars.ts";
import { ParamCursor } from "./param-cursor.ts";

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;

/** The next semicolon, quoted or not, or `end`. */
function semicolonOr(text: string, start: number, end: number): number {
  const semicolon = text.indexOf(";", start);
  return semicolon < 0 || semicolon > end ? end : semicolon;
}

/** The end of a parameter's name that begins at `start`. URI parameters have more octets than tokens do. */
function nameEnd(text: string, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code === EQUALS || code === SEMICOLON || code === QUOTE) break;
    i++;
  }
  return i;
}

/** The end of a parameter whose name ends at `name`: the next semicolon that isn't in its quoted value, or `end`. */
function paramEnd(text: string, name: number, end: number): number {
  const equals = skipSpace(text, name, end);
  if (equals === end || text.charCodeAt(equals) !== EQUALS) return semicolonOr(text, equals, end);
  const value = skipSpace(text, equals + 1, end);
  if (value === end || text.charCodeAt(value) !== QUOTE) return semicolonOr(text, value, end);
  const after = skipQuoted(text, value, end);
  return after < 0 ? end : semicolonOr(text, after, end);
}

/**
 * The position of the semicolon before the parameter of that name (in lower case), -1 when there is none. `start` is at
 * the first semicolon, or at `end`.
 */
export function findParam(text: string, start: number, end: number, name: string): number {
  let i = start;
  while (i < end) {
    const first = skipSpace(text, i + 1, end);
    const last = nameEnd(text, first, end);
    if (last - first === name.length && isWord(text, first, last, name)) return i;
    i = paramEnd(text, last, end);
  }
  return -1;
}

/** The position of the semicolon after the parameter at `at`, or `end`. */
function endOfParam(text: string, at: number, end: number): number {
  return paramEnd(text, nameEnd(text, skipSpace(text, at + 1, end), end), end);
}

/** The value of the parameter at the semicolon `at`, without quotes; `undefined` when it has none. */
export function valueOfParam(text: string, at: number, end: number): string | undefined {
  const name = nameEnd(text, skipSpace(text, at + 1, end), end);
  const equals = skipSpace(text, name, end);
  if (equals === end || text.charCodeAt(equals) !== EQUALS) return undefined;
  const first = skipSpace(text, equals + 1, end);
  if (first < end && text.charCodeAt(first) === QUOTE) {
    const after = skipQuoted(text, first, end);
    return after < 0 ? text.slice(first, end) : unquote(text.slice(first, after));
  }
  return text.slice(first, trimSpace(text, first, semicolonOr(text, first, end)));
}

/** The value of the parameter of that name (in lower case), without quotes. `start` as in {@link findParam}. */
export function paramOf(
  text: string,
  start: number,
  end: number,
  name: string,
): string | undefined {
  const at = findParam(text, start, end, name);
  return at < 0 ? undefined : valueOfParam(text, at, end);
}

/**
 * Parameters as they are written, `;a=b;lr`: an immutable view that is read by scanning. Names are compared without
 * case.
 *
 * RFC 3261 §7.3.1
 */
export class Params implements Iterable<readonly [name: string, value: string | undefined]> {
  static readonly empty: Params = new Params("");

  readonly #text: string;

  /** `text` begins with a semicolon, or is empty. */
  constructor(text: string) {
    this.#text = text;
  }

  /** Those in a part of a text; white space at its end is left out. */
  static of(text: string, start: number, end: number): Params {
    return new Params(text.slice(start, trimSpace(text, start, end)));
  }

  /** The value, without its quotes; `undefined` when there is no such parameter, or none with a value. */
  get(name: string): string | undefined {
    return paramOf(this.#text, 0, this.#text.length, name);
  }

  has(name: string): boolean {
    return findParam(this.#text, 0, this.#text.length, name) >= 0;
  }

  /**
   * These parameters with one set, in its place when it was there, else at the end. A value that is not a token, a
   * host or an address is quoted. Throws `SIP_BAD_HEADER` for a name that is no token, or CR, LF or NUL in a value.
   */
  with(name: string, value?: string): Params {
    if (!isToken(name)) throw new SipError("SIP_BAD_HEADER", "a parameter's name must be a token");
    const written = value === undefined ? `;${name}` : `;${name}=${writtenValue(value)}`;
    const text = this.#text;
    const at = findParam(text, 0, text.length, name);
    if (at < 0) return new Params(text + written);
    const rest = new Params(text.slice(endOfParam(text, at, text.length))).without(name);
    return new Params(text.slice(0, at) + written + rest.toString());
  }

  /** These parameters without those of that name. */
  without(name: string): Params {
    const text = this.#text;
    let kept = "";
    let from = 0;
    let at = findParam(text, 0, text.length, name);
    if (at < 0) return this;
    while (at >= 0) {
      kept += text.slice(from, at);
      from = endOfParam(text, at, text.length);
      at = findParam(text, from, text.length, name);
    }
    return new Params(kept + text.slice(from));
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string | undefined]> {
    const text = this.#text;
    let at = 0;
    while (at < text.length) {
      const first = skipSpace(text, at + 1, text.length);
      const last = nameEnd(text, first, text.length);
      if (last > first) yield [text.slice(first, last), valueOfParam(text, at, text.length)];
      at = paramEnd(text, last, text.length);
    }
  }

  /** As written. */
  toString(): string {
    return this.#text;
  }
}

const PLAIN_VALUE = /^[\w.!%*+`'~:[\]/?$&@-]+$/;

function writtenValue(value: string): string {
  if (PLAIN_VALUE.test(value)) return value;
  if (/[\r\n\0]/.test(value)) {
    throw new SipError("SIP_BAD_HEADER", "a parameter must not hold CR, LF or NUL");
  }
  return quote(value);
}

/** Throws unless the whole part is a list of parameters. */
export function checkParams(text: string, start: number, end: number, header: string): void {
  const cursor = new ParamCursor(text, start, end);
  while (cursor.next());
  cursor.finish(header);
}
