import { ParseError, SipError } from "../errors.ts";
import {
  isSpace,
  isToken,
  isTokenCode,
  isWord,
  quote,
  skipQuoted,
  skipSpace,
  trimSpace,
  unquote,
} from "./chars.ts";

const SEMICOLON = 0x3b;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const QUOTE = 0x22;

/** Whether an octet may stand in a parameter's value that is not quoted: liberal, for `received=2001:db8::1`. */
function isValueCode(code: number): boolean {
  return (
    code > 0x20 &&
    code !== 0x7f &&
    code !== QUOTE &&
    code !== COMMA &&
    code !== SEMICOLON &&
    code !== 0x3c &&
    code !== 0x3e
  );
}

/**
 * Reads over `;name=value` as often as it comes and gives the position after it, which is `end` or not a semicolon.
 * Gives `-1 - position` where the syntax is wrong.
 */
export function scanParams(text: string, start: number, end: number): number {
  let i = skipSpace(text, start, end);
  while (i < end && text.charCodeAt(i) === SEMICOLON) {
    const name = skipSpace(text, i + 1, end);
    i = name;
    while (i < end && isTokenCode(text.charCodeAt(i))) i++;
    if (i === name) return -1 - i;
    if (i < end && isSpace(text.charCodeAt(i))) i = skipSpace(text, i, end);
    if (i < end && text.charCodeAt(i) === EQUALS) {
      i = skipSpace(text, i + 1, end);
      const value = i;
      if (i < end && text.charCodeAt(i) === QUOTE) {
        i = skipQuoted(text, i, end);
        if (i < 0) return -1 - value;
      } else {
        while (i < end && isValueCode(text.charCodeAt(i))) i++;
        if (i === value) return -1 - i;
      }
      if (i < end && isSpace(text.charCodeAt(i))) i = skipSpace(text, i, end);
    }
  }
  return i;
}

/** The end of the parameter that begins after the semicolon at `start`: the next semicolon outside quotes, or `end`. */
export function paramEnd(text: string, start: number, end: number): number {
  let i = start + 1;
  while (i < end) {
    const code = text.charCodeAt(i);
    if (code === SEMICOLON) return i;
    if (code === QUOTE) {
      const after = skipQuoted(text, i, end);
      i = after < 0 ? end : after;
    } else i++;
  }
  return end;
}

/** The position of the semicolon before the parameter of that name, -1 when there is none. */
export function findParam(text: string, start: number, end: number, name: string): number {
  let i = start;
  while (i < end && text.charCodeAt(i) !== SEMICOLON) i++;
  while (i < end) {
    const first = skipSpace(text, i + 1, end);
    let last = first;
    while (last < end && isTokenLike(text.charCodeAt(last))) last++;
    if (last - first === name.length && isWord(text, first, last, name)) return i;
    i = paramEnd(text, i, end);
  }
  return -1;
}

/** URI parameters have more octets than tokens do: `paramchar` of RFC 3261 §25.1. */
function isTokenLike(code: number): boolean {
  return code > 0x20 && code !== EQUALS && code !== SEMICOLON && code !== QUOTE;
}

/** The value of the parameter after the semicolon at `at`, without quotes; `undefined` when it has none. */
export function valueOfParam(text: string, at: number, end: number): string | undefined {
  const stop = paramEnd(text, at, end);
  let i = at + 1;
  while (i < stop && text.charCodeAt(i) !== EQUALS) i++;
  if (i === stop) return undefined;
  const first = skipSpace(text, i + 1, stop);
  const value = text.slice(first, trimSpace(text, first, stop));
  return value.charCodeAt(0) === QUOTE ? unquote(value) : value;
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

  /** The value, without its quotes; `undefined` when there is no such parameter, or none with a value. */
  get(name: string): string | undefined {
    const at = findParam(this.#text, 0, this.#text.length, name);
    return at < 0 ? undefined : valueOfParam(this.#text, at, this.#text.length);
  }

  has(name: string): boolean {
    return findParam(this.#text, 0, this.#text.length, name) >= 0;
  }

  /**
   * These parameters with one set, in its place when it was there, else at the end. A value that is not a token, a
   * host or an address is quoted.
   */
  with(name: string, value?: string): Params {
    if (!isToken(name)) throw new SipError("SIP_BAD_HEADER", "a parameter's name must be a token");
    const written = value === undefined ? `;${name}` : `;${name}=${writtenValue(value)}`;
    const text = this.#text;
    const at = findParam(text, 0, text.length, name);
    if (at < 0) return new Params(text + written);
    const rest = new Params(text.slice(paramEnd(text, at, text.length))).without(name);
    return new Params(text.slice(0, at) + written + rest.toString());
  }

  /** These parameters without those of that name. */
  without(name: string): Params {
    let text = this.#text;
    for (;;) {
      const at = findParam(text, 0, text.length, name);
      if (at < 0) return text === this.#text ? this : new Params(text);
      text = text.slice(0, at) + text.slice(paramEnd(text, at, text.length));
    }
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string | undefined]> {
    const text = this.#text;
    let at = text.indexOf(";");
    while (at >= 0 && at < text.length) {
      const stop = paramEnd(text, at, text.length);
      const first = skipSpace(text, at + 1, stop);
      let last = first;
      while (last < stop && isTokenLike(text.charCodeAt(last))) last++;
      if (last > first) yield [text.slice(first, last), valueOfParam(text, at, text.length)];
      at = stop;
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
  const stop = scanParams(text, start, end);
  if (stop !== end) {
    throw new ParseError(`Malformed ${header} parameters`, {
      header,
      offset: stop < 0 ? -1 - stop : stop,
    });
  }
}
