import { ParseError } from "../../errors.ts";
import { isSamePart, isTokenCode, skipQuoted, skipSpace, unquote } from "../chars.ts";

const COMMA = 0x2c;
const EQUALS = 0x3d;
const QUOTE = 0x22;

/** More parameters than this are no credentials. */
const MAX_PARAMS = 64;

/**
 * The parameters of credentials or of a challenge as a map from their names, in lower case, to their values, without
 * quotes: where they are is noted once, and each is cut out when it is asked for.
 */
export class AuthParams implements ReadonlyMap<string, string> {
  readonly #text: string;
  /** Four positions a parameter: where its name and where its value begin and end. */
  readonly #places: readonly number[];

  /** Reads a whole part of a text. Throws a `ParseError` that names the header; also when a name comes twice. */
  constructor(text: string, start: number, end: number, header: string) {
    const places: number[] = [];
    let i = start;
    while (i < end) {
      const name = skipSpace(text, i, end);
      const last = tokenEnd(text, name, end);
      const equals = skipSpace(text, last, end);
      if (last === name || equals >= end || text.charCodeAt(equals) !== EQUALS) {
        throw malformed(header, "a parameter", name);
      }
      const value = skipSpace(text, equals + 1, end);
      i = valueStop(text, value, end);
      if (i <= value) throw malformed(header, "a parameter's value", value);
      if (indexOf(text, places, text, name, last) >= 0) {
        throw malformed(header, "a parameter twice", name);
      }
      places.push(name, last, value, i);
      if (places.length > MAX_PARAMS * 4) throw malformed(header, "too many parameters", name);
      i = skipSpace(text, i, end);
      if (i < end && text.charCodeAt(i) !== COMMA) throw malformed(header, "no comma", i);
      i++;
    }
    this.#text = text;
    this.#places = places;
  }

  get size(): number {
    return this.#places.length / 4;
  }

  get(name: string): string | undefined {
    const at = indexOf(this.#text, this.#places, name, 0, name.length);
    return at < 0 ? undefined : this.#value(at);
  }

  has(name: string): boolean {
    return indexOf(this.#text, this.#places, name, 0, name.length) >= 0;
  }

  forEach(run: (value: string, name: string, map: ReadonlyMap<string, string>) => void): void {
    for (const [name, value] of this.#map()) run(value, name, this);
  }

  entries(): MapIterator<[string, string]> {
    return this.#map().entries();
  }

  keys(): MapIterator<string> {
    return this.#map().keys();
  }

  values(): MapIterator<string> {
    return this.#map().values();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.#map().entries();
  }

  #value(at: number): string {
    const written = this.#text.slice(this.#places[at + 2], this.#places[at + 3]);
    return written.charCodeAt(0) === QUOTE ? unquote(written) : written;
  }

  #map(): Map<string, string> {
    const map = new Map<string, string>();
    for (let at = 0; at < this.#places.length; at += 4) {
      const name = this.#text.slice(this.#places[at], this.#places[at + 1]);
      map.set(name.toLowerCase(), this.#value(at));
    }
    return map;
  }
}

function malformed(header: string, what: string, offset: number): ParseError {
  return new ParseError(`Malformed ${header}: ${what}`, { header, offset });
}

function tokenEnd(text: string, start: number, end: number): number {
  let i = start;
  while (i < end && isTokenCode(text.charCodeAt(i))) i++;
  return i;
}

/** The end of a value, quoted or not; -1 when its quote isn't closed. */
function valueStop(text: string, start: number, end: number): number {
  if (start < end && text.charCodeAt(start) === QUOTE) return skipQuoted(text, start, end);
  let i = start;
  while (i < end && text.charCodeAt(i) !== COMMA && text.charCodeAt(i) > 0x20) i++;
  return i;
}

/** Where the places of the parameter are whose name is a part of `name`; -1 when there is none. */
function indexOf(
  text: string,
  places: readonly number[],
  name: string,
  start: number,
  end: number,
): number {
  const length = end - start;
  for (let at = 0; at < places.length; at += 4) {
    const first = places[at] ?? 0;
    if ((places[at + 1] ?? 0) - first === length && isSamePart(text, first, name, start, length)) {
      return at;
    }
  }
  return -1;
}
