import { ParseError } from "../../errors.ts";
import { isSpace, isTokenCode } from "../chars.ts";
import { isWord, skipSpace, startsWithWord, tokenEnd } from "../octets.ts";
import { unescaped } from "../text.ts";
import { skipQuoted, type Wire } from "../wire.ts";

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
  readonly #wire: Wire;
  readonly #end: number;
  /** Two positions a parameter: where its name and where its value begins. */
  readonly #places: readonly number[];

  /** Reads a whole part. Throws a `ParseError` that names the header; also when a name comes twice. */
  constructor(wire: Wire, start: number, end: number, header: string) {
    const { octets } = wire;
    const places: number[] = [];
    let names = 0;
    let i = start;
    while (i < end) {
      const name = skipSpace(octets, i, end);
      const last = tokenEnd(octets, name, end);
      const value = valueStart(octets, last, end);
      if (last === name || value < 0) throw malformed(header, "a parameter", name);
      i = valueEnd(wire, value, end);
      if (i <= value) throw malformed(header, "a parameter's value", value);
      // Names that differ here differ; the others are compared.
      const bit = 1 << ((last - name) * 3 + ((octets[name] ?? 0) | 0x20));
      if (
        (names & bit) !== 0 &&
        placeOf(octets, places, wire.text.slice(name, last).toLowerCase()) >= 0
      ) {
        throw malformed(header, "a parameter twice", name);
      }
      names |= bit;
      places.push(name, value);
      if (places.length > MAX_PARAMS * 2) throw malformed(header, "too many parameters", name);
      i = skipSpace(octets, i, end);
      if (i < end && octets[i] !== COMMA) throw malformed(header, "no comma", i);
      i++;
    }
    this.#wire = wire;
    this.#end = end;
    this.#places = places;
  }

  get size(): number {
    return this.#places.length / 2;
  }

  get(name: string): string | undefined {
    const at = placeOf(this.#wire.octets, this.#places, name);
    return at < 0 ? undefined : cut(this.#wire, this.#places[at + 1] ?? 0, this.#end);
  }

  has(name: string): boolean {
    return placeOf(this.#wire.octets, this.#places, name) >= 0;
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

  #map(): Map<string, string> {
    const map = new Map<string, string>();
    for (let at = 0; at < this.#places.length; at += 2) {
      const name = this.#places[at] ?? 0;
      const last = tokenEnd(this.#wire.octets, name, this.#end);
      const value = cut(this.#wire, this.#places[at + 1] ?? 0, this.#end);
      map.set(this.#wire.text.slice(name, last).toLowerCase(), value);
    }
    return map;
  }
}

function malformed(header: string, what: string, offset: number): ParseError {
  return new ParseError(`Malformed ${header}: ${what}`, { header, offset });
}

/** Where the value begins after a name that ends at `name`; -1 without an equals sign. */
function valueStart(octets: Uint8Array, name: number, end: number): number {
  const equals = skipSpace(octets, name, end);
  return equals < end && octets[equals] === EQUALS ? skipSpace(octets, equals + 1, end) : -1;
}

/** The end of a value, quoted or not; -1 when its quote isn't closed. */
function valueEnd(wire: Wire, start: number, end: number): number {
  const { octets } = wire;
  if (octets[start] === QUOTE) return skipQuoted(wire, start, end);
  let i = start;
  while (i < end && octets[i] !== COMMA && !isSpace(octets[i] ?? 0)) i++;
  return i;
}

/** The value that begins at `start`, without its quotes. */
function cut(wire: Wire, start: number, end: number): string {
  const stop = valueEnd(wire, start, end);
  if (wire.octets[start] !== QUOTE) return wire.text.slice(start, stop);
  return unescaped(wire.text.slice(start + 1, stop - 1));
}

/** Where the places of the parameter of that name (in lower case) are; -1 when there is none. */
function placeOf(octets: Uint8Array, places: readonly number[], name: string): number {
  for (let at = 0; at < places.length; at += 2) {
    const first = places[at] ?? 0;
    if (startsWithWord(octets, first, name) && !isTokenCode(octets[first + name.length] ?? 0)) {
      return at;
    }
  }
  return -1;
}

/**
 * One parameter (its name in lower case) of the credentials or the challenge between two positions: read as far as it,
 * and no further. `undefined` when there is none, or when something before it is malformed.
 */
export function authParamOf(
  wire: Wire,
  start: number,
  end: number,
  name: string,
): string | undefined {
  const { octets } = wire;
  let i = tokenEnd(octets, skipSpace(octets, start, end), end);
  while (i < end) {
    const first = skipSpace(octets, i, end);
    const last = tokenEnd(octets, first, end);
    const value = valueStart(octets, last, end);
    if (last === first || value < 0) return undefined;
    if (isWord(octets, first, last, name)) return cut(wire, value, end);
    const stop = valueEnd(wire, value, end);
    i = skipSpace(octets, stop, end);
    if (stop <= value || (i < end && octets[i] !== COMMA)) return undefined;
    i++;
  }
  return undefined;
}
