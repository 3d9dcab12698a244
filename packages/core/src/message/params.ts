import { ParseError, SipError } from "../errors.ts";
import { isSpace, isTokenCode, isValueCode } from "./chars.ts";
import { isWord, skipSpace, tokenEnd, trimSpace } from "./octets.ts";
import { isTokenText, quote, unquote } from "./text.ts";
import { skipQuoted, Wire } from "./wire.ts";

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;

/** The position after the white space at `i`, where mostly there is none. */
function afterSpace(octets: Uint8Array, i: number, end: number): number {
  return i < end && isSpace(octets[i] ?? 0) ? skipSpace(octets, i, end) : i;
}

/**
 * Reads `;name=value` as often as it comes up to `end`, without white space as nearly all are written, and gives the
 * values of some of the parameters, without quotes, in the order of their names (in lower case). `undefined` when they
 * are written otherwise, or wrong: {@link checkParams} tells.
 */
export function quickPick(
  wire: Wire,
  start: number,
  end: number,
  names: readonly string[],
): readonly (string | undefined)[] | undefined {
  const { text, octets } = wire;
  const values: (string | undefined)[] = [];
  let i = start;
  while (octets[i] === SEMICOLON) {
    const name = ++i;
    while (isTokenCode(octets[i] ?? 0)) i++;
    if (i === name) return undefined;
    const nameStop = i;
    if (octets[i] !== EQUALS) continue;
    const value = ++i;
    const quoted = octets[i] === QUOTE;
    if (quoted) i = skipQuoted(wire, i, end);
    else while (isValueCode(octets[i] ?? 0)) i++;
    if (i <= value) return undefined;
    for (let k = 0; k < names.length; k++) {
      if (!isWord(octets, name, nameStop, names[k] ?? "")) continue;
      const written = text.slice(value, i);
      values[k] ??= quoted ? unquote(written) : written;
    }
  }
  return i === end ? values : undefined;
}

/** The end of the value that begins at `start`, quoted or not; -1 when its quote isn't closed. */
function endOfValue(wire: Wire, start: number, end: number): number {
  const { octets } = wire;
  if (octets[start] === QUOTE) return skipQuoted(wire, start, end);
  let i = start;
  while (i < end && isValueCode(octets[i] ?? 0)) i++;
  return i;
}

/**
 * Reads over `;name=value` as often as it comes up to `end`. Throws a `ParseError` that names the header unless each
 * name is a token, and each value a quoted string or something without white space, quote, comma and bracket.
 */
export function checkParams(wire: Wire, start: number, end: number, header: string): void {
  const { octets } = wire;
  let i = start;
  while (i < end) {
    i = afterSpace(octets, i, end);
    if (octets[i] !== SEMICOLON) throw malformed(header, i);
    const name = afterSpace(octets, i + 1, end);
    i = tokenEnd(octets, name, end);
    if (i === name) throw malformed(header, i);
    i = afterSpace(octets, i, end);
    if (i < end && octets[i] === EQUALS) {
      const value = afterSpace(octets, i + 1, end);
      i = endOfValue(wire, value, end);
      if (i <= value) throw malformed(header, value);
      i = afterSpace(octets, i, end);
    }
  }
}

function malformed(header: string, offset: number): ParseError {
  return new ParseError(`Malformed ${header}: its parameters`, { header, offset });
}

/** The end of a parameter's name that begins at `start`. URI parameters have more octets than tokens do. */
function nameEnd(octets: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const code = octets[i] ?? 0;
    if (code === EQUALS || code === SEMICOLON || code <= 0x20) break;
    i++;
  }
  return i;
}

/** The end of the value that begins at `start` as it is written, with its quotes and the white space after it. */
function valueStop(wire: Wire, start: number, end: number): number {
  const from = wire.octets[start] === QUOTE ? skipQuoted(wire, start, end) : start;
  if (from < 0) return end;
  const semicolon = wire.text.indexOf(";", from);
  return semicolon < 0 || semicolon > end ? end : semicolon;
}

/** The next semicolon after a parameter whose name ends at `name`, or `end`. */
function nextParam(wire: Wire, name: number, end: number): number {
  const { octets } = wire;
  const equals = afterSpace(octets, name, end);
  if (equals >= end || octets[equals] !== EQUALS) return valueStop(wire, equals, end);
  return valueStop(wire, afterSpace(octets, equals + 1, end), end);
}

/**
 * The end of the name of the parameter that is called so (in lower case), -1 when there is none. `start` is at the
 * first semicolon, or at `end`.
 */
export function findParam(wire: Wire, start: number, end: number, name: string): number {
  const { octets } = wire;
  let i = start;
  while (i < end) {
    const first = afterSpace(octets, i + 1, end);
    const last = nameEnd(octets, first, end);
    if (isWord(octets, first, last, name)) return last;
    i = nextParam(wire, last, end);
  }
  return -1;
}

/** The value of the parameter whose name ends at `name`, without quotes; `undefined` when it has none. */
export function valueOfParam(wire: Wire, name: number, end: number): string | undefined {
  const equals = afterSpace(wire.octets, name, end);
  if (equals >= end || wire.octets[equals] !== EQUALS) return undefined;
  const { text, octets } = wire;
  const start = afterSpace(octets, equals + 1, end);
  const value = text.slice(start, trimSpace(octets, start, valueStop(wire, start, end)));
  return octets[start] === QUOTE ? unquote(value) : value;
}

/** The value of the parameter of that name (in lower case), without quotes. `start` as in {@link findParam}. */
function paramOf(wire: Wire, start: number, end: number, name: string): string | undefined {
  const at = findParam(wire, start, end, name);
  return at < 0 ? undefined : valueOfParam(wire, at, end);
}

/** The values of several parameters as {@link paramOf} gives them, in the order of their names (in lower case). */
export function paramsOf(
  wire: Wire,
  start: number,
  end: number,
  names: readonly string[],
): readonly (string | undefined)[] {
  const { octets } = wire;
  const values: (string | undefined)[] = [];
  let i = start;
  while (i < end) {
    const first = afterSpace(octets, i + 1, end);
    const last = nameEnd(octets, first, end);
    for (let k = 0; k < names.length; k++) {
      const name = names[k] ?? "";
      if (isWord(octets, first, last, name)) values[k] ??= valueOfParam(wire, last, end);
    }
    i = nextParam(wire, last, end);
  }
  return values;
}

/**
 * Parameters as they are written, `;a=b;lr`: an immutable view that is read by scanning. Names are compared without
 * case.
 *
 * RFC 3261 §7.3.1
 */
export class Params implements Iterable<readonly [name: string, value: string | undefined]> {
  static readonly empty: Params = new Params("");

  #wire: Wire | string;
  readonly #start: number;
  readonly #end: number;

  /** `text` begins with a semicolon, or is empty. */
  constructor(text: string | Wire, start: number = 0, end?: number) {
    this.#wire = text;
    this.#start = start;
    this.#end = end ?? (typeof text === "string" ? text : text.text).length;
  }

  /** The value, without its quotes; `undefined` when there is no such parameter, or none with a value. */
  get(name: string): string | undefined {
    if (this.#start === this.#end) return undefined;
    return paramOf(this.#read(), this.#start, this.#end, name.toLowerCase());
  }

  has(name: string): boolean {
    if (this.#start === this.#end) return false;
    return findParam(this.#read(), this.#start, this.#end, name.toLowerCase()) >= 0;
  }

  /**
   * These parameters with one set, in its place when it was there, else at the end. A value that is not a token, a
   * host or an address is quoted. Throws `SIP_BAD_HEADER` for a name that is no token, or CR, LF or NUL in a value.
   */
  with(name: string, value?: string): Params {
    if (!isTokenText(name)) {
      throw new SipError("SIP_BAD_HEADER", "a parameter's name must be a token");
    }
    return new Params(
      this.#replaced(name, `;${name}${value === undefined ? "" : `=${written(value)}`}`),
    );
  }

  /** These parameters without those of that name. */
  without(name: string): Params {
    return this.has(name) ? new Params(this.#replaced(name, "")) : this;
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string | undefined]> {
    const wire = this.#read();
    for (let at = this.#start; at < this.#end; ) {
      const first = afterSpace(wire.octets, at + 1, this.#end);
      const last = nameEnd(wire.octets, first, this.#end);
      if (last > first) yield [wire.text.slice(first, last), valueOfParam(wire, last, this.#end)];
      at = nextParam(wire, last, this.#end);
    }
  }

  /** As written. */
  toString(): string {
    const text = typeof this.#wire === "string" ? this.#wire : this.#wire.text;
    return text.slice(this.#start, this.#end);
  }

  #read(): Wire {
    if (typeof this.#wire === "string") this.#wire = Wire.of(this.#wire);
    return this.#wire;
  }

  /** The text with the first parameter of a name replaced and the others left out; at the end when there is none. */
  #replaced(name: string, by: string): string {
    const wire = this.#read();
    const { text, octets } = wire;
    const wanted = name.toLowerCase();
    let kept = "";
    let rest = by;
    for (let at = this.#start; at < this.#end; ) {
      const first = afterSpace(octets, at + 1, this.#end);
      const last = nameEnd(octets, first, this.#end);
      const stop = nextParam(wire, last, this.#end);
      if (!isWord(octets, first, last, wanted)) kept += text.slice(at, stop);
      else {
        kept += rest;
        rest = "";
      }
      at = stop;
    }
    return kept + rest;
  }
}

const PLAIN_VALUE = /^[\w.!%*+`'~:[\]/?$&@-]+$/;

function written(value: string): string {
  if (PLAIN_VALUE.test(value)) return value;
  if (/[\r\n\0]/.test(value)) {
    throw new SipError("SIP_BAD_HEADER", "a parameter must not hold CR, LF or NUL");
  }
  return quote(value);
}
