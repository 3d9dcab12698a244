import { skipSpace, trimSpace } from "./chars.ts";
import type { HeaderField, KnownField } from "./header-field.ts";
import { headerId, isListHeader } from "./header-names.ts";
import { fromWire, toWire } from "./utf8.ts";
import { splitValues, valueEnd } from "./value-list.ts";

/** The line is folded over several. RFC 3261 §7.3.1 */
export const FOLDED = 1;
/** The line may hold bytes beyond ASCII. */
export const EIGHT_BIT = 2;

/** The spaces of a line end within a folded line. */
const FOLD = /[ \t]*\r?\n[ \t]+/g;

/**
 * One header line, immutable but for what was parsed out of it: a place in a text that it shares with the message it
 * came in, or a text of its own. Messages share lines.
 */
export class HeaderLine {
  /** Which header: its number in header-names.ts, 0 when it isn't known. */
  readonly id: number;
  /** {@link FOLDED}, {@link EIGHT_BIT}. */
  readonly flags: number;
  readonly text: string;
  /** Where the line begins, where its value does, and where its line end does. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
  #field: HeaderField<never> | undefined;
  #first: unknown;

  constructor(
    id: number,
    flags: number,
    text: string,
    start: number,
    valueStart: number,
    end: number,
  ) {
    this.id = id;
    this.flags = flags;
    this.text = text;
    this.start = start;
    this.valueStart = valueStart;
    this.end = end;
    this.#field = undefined;
    this.#first = undefined;
  }

  /** A line of its own. Name and value were checked. */
  static of(name: string, value: string): HeaderLine {
    const wire = toWire(value);
    const head = `${name}: `;
    return new HeaderLine(
      headerId(name),
      wire === value ? 0 : EIGHT_BIT,
      `${head}${wire}\r\n`,
      0,
      head.length,
      head.length + wire.length,
    );
  }

  /** The name as it is spelled. */
  get name(): string {
    const colon = this.text.indexOf(":", this.start);
    return this.text.slice(this.start, trimSpace(this.text, this.start, colon));
  }

  /** The value on the wire, unfolded, without white space at either end. */
  get wireValue(): string {
    const { text, end } = this;
    if ((this.flags & FOLDED) !== 0) {
      return trimmed(text.slice(this.valueStart, end).replace(FOLD, " "));
    }
    return text.slice(this.valueStart, trimSpace(text, this.valueStart, end));
  }

  /** The value: unfolded, and decoded where it holds more than ASCII. */
  get value(): string {
    return (this.flags & EIGHT_BIT) === 0 ? this.wireValue : fromWire(this.wireValue);
  }

  /** The line and its line end, to be sent. */
  get wire(): string {
    return this.text.slice(this.start, this.next);
  }

  /** Where the text goes on after this line. */
  get next(): number {
    return this.end + (this.text.charCodeAt(this.end) === 0x0d ? 2 : 1);
  }

  /** Every value of the line. */
  values(): readonly string[] {
    return isListHeader(this.id) ? splitValues(this.value) : [this.value];
  }

  /** The first value, parsed once; `undefined` when a list is empty. */
  read<T>(field: HeaderField<T>): T | undefined {
    if ((this.#field as unknown) === field) return this.#first as T | undefined;
    const first = this.#parseFirst(field);
    this.#field = field as unknown as HeaderField<never>;
    this.#first = first;
    return first;
  }

  /** Every value, parsed. */
  readAll<T>(field: HeaderField<T>): readonly T[] {
    const list = isListHeader(this.id);
    if (!list || valueEnd(this.text, this.valueStart, this.end) === this.end) {
      const first = this.read(field);
      return first === undefined && list ? [] : [first as T];
    }
    return this.values().map((value) => field.parse(value));
  }

  #parseFirst<T>(field: HeaderField<T>): T | undefined {
    if (this.flags !== 0 || !isKnown(field)) {
      const first = isListHeader(this.id) ? this.values()[0] : this.value;
      return first === undefined ? undefined : field.parse(first);
    }
    const { text, valueStart, end } = this;
    if (!isListHeader(this.id)) return field.scan(text, valueStart, end);
    const stop = valueEnd(text, valueStart, end);
    if (skipSpace(text, valueStart, stop) < stop) return field.scan(text, valueStart, stop);
    const first = this.values()[0];
    return first === undefined ? undefined : field.parse(first);
  }
}

function isKnown<T>(field: HeaderField<T>): field is KnownField<T> {
  return (field as Partial<KnownField<T>>).scan !== undefined;
}

function trimmed(text: string): string {
  const end = trimSpace(text, 0, text.length);
  return text.slice(skipSpace(text, 0, end), end);
}
