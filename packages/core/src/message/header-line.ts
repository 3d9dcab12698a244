import { skipSpace, trimSpace } from "./chars.ts";
import type { HeaderField, KnownField } from "./header-field.ts";
import { headerId, isListHeader } from "./header-names.ts";
import { fromWire, toWire } from "./utf8.ts";
import { splitValues, valueEnd } from "./value-list.ts";

/** The line ends within a folded value, with the white space around them. RFC 3261 §7.3.1 */
const FOLD = /[ \t]*\r?\n[ \t]+/g;

/**
 * One header line, immutable but for what was read out of it: a place in a text that it shares with the message it
 * came in, or a text of its own. Messages share lines.
 */
export class HeaderLine {
  /** Which header: its number in header-names.ts, 0 when it isn't known. */
  readonly id: number;
  /** Whether the value may hold bytes beyond ASCII. */
  readonly eightBit: boolean;
  /** The line as it is sent: from `start` to `end` of `text`, its line end included. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** The value, unfolded and without white space around it: from `valueStart` to `valueEnd` of `source`. */
  readonly source: string;
  readonly valueStart: number;
  readonly valueEnd: number;
  #field: HeaderField<never> | undefined;
  #first: unknown;

  /** A line that isn't folded. */
  constructor(
    id: number,
    eightBit: boolean,
    text: string,
    start: number,
    end: number,
    valueStart: number,
    valueEnd: number,
    source: string = text,
  ) {
    this.id = id;
    this.eightBit = eightBit;
    this.text = text;
    this.start = start;
    this.end = end;
    this.source = source;
    this.valueStart = valueStart;
    this.valueEnd = valueEnd;
    this.#field = undefined;
    this.#first = undefined;
  }

  /** A line whose value, from `valueStart` on, is folded. */
  static folded(
    id: number,
    eightBit: boolean,
    text: string,
    start: number,
    end: number,
    valueStart: number,
  ): HeaderLine {
    const source = text.slice(valueStart, end).replace(FOLD, " ");
    const first = skipSpace(source, 0, source.length);
    const last = trimSpace(source, first, lineBreak(source));
    return new HeaderLine(id, eightBit, text, start, end, first, last, source);
  }

  /** A line of its own. Name and value were checked. */
  static of(name: string, value: string): HeaderLine {
    const wire = toWire(value);
    const text = `${name}: ${wire}\r\n`;
    const last = trimSpace(text, name.length + 2, text.length - 2);
    const first = skipSpace(text, name.length + 2, last);
    return new HeaderLine(headerId(name), wire !== value, text, 0, text.length, first, last);
  }

  /** The name as it is spelled. */
  get name(): string {
    const colon = this.text.indexOf(":", this.start);
    return this.text.slice(this.start, trimSpace(this.text, this.start, colon));
  }

  /** The value on the wire, unfolded, without white space at either end. */
  get wireValue(): string {
    return this.source.slice(this.valueStart, this.valueEnd);
  }

  /** The value: unfolded, and decoded where it holds more than ASCII. */
  get value(): string {
    return this.eightBit ? fromWire(this.wireValue) : this.wireValue;
  }

  /** Every value of the line. */
  values(): readonly string[] {
    return isListHeader(this.id) ? splitValues(this.value) : [this.value];
  }

  /** The first value, parsed once; `undefined` when a list is empty. */
  read<T>(field: HeaderField<T>): T | undefined {
    if ((this.#field as unknown) === field) return this.#first as T | undefined;
    const first = this.#parseFirst(field);
    this.remember(field, first);
    return first;
  }

  /** Notes what {@link read} is to give for a field. */
  remember<T>(field: HeaderField<T>, first: T | undefined): void {
    this.#field = field as unknown as HeaderField<never>;
    this.#first = first;
  }

  /** Every value, parsed. */
  readAll<T>(field: HeaderField<T>): readonly T[] {
    const list = isListHeader(this.id);
    if (list && valueEnd(this.source, this.valueStart, this.valueEnd) < this.valueEnd) {
      return this.values().map((value) => field.parse(value));
    }
    const first = this.read(field);
    return first === undefined && list ? [] : [first as T];
  }

  #parseFirst<T>(field: HeaderField<T>): T | undefined {
    const { source, valueStart } = this;
    const list = isListHeader(this.id);
    const end = list ? valueEnd(source, valueStart, this.valueEnd) : this.valueEnd;
    if (list && end === valueStart) {
      const [first] = this.values();
      return first === undefined ? undefined : field.parse(first);
    }
    if (!this.eightBit && isKnown(field)) return field.scan(source, valueStart, end);
    const value = source.slice(valueStart, trimSpace(source, valueStart, end));
    return field.parse(this.eightBit ? fromWire(value) : value);
  }
}

function lineBreak(source: string): number {
  const end = source.length - 1;
  return source.charCodeAt(end - 1) === 0x0d ? end - 1 : end;
}

function isKnown<T>(field: HeaderField<T>): field is KnownField<T> {
  return (field as Partial<KnownField<T>>).scan !== undefined;
}
