import { SipError } from "../errors.ts";
import { isSpace } from "./chars.ts";
import type { HeaderField, KnownField } from "./header-field.ts";
import { headerId, isListHeader } from "./header-names.ts";
import type { WithParams } from "./headers.ts";
import { skipSpace, trimSpace } from "./octets.ts";
import { isName, isTokenText } from "./text.ts";
import { fromWire, toWire } from "./utf8.ts";
import { splitValues, valueEnd } from "./value-list.ts";
import { Wire } from "./wire.ts";

/** A line end within a folded value, with the white space after it. RFC 3261 §7.3.1 */
const FOLD = /\r?\n[ \t]+/g;
/** A value that can be sent as it is: visible ASCII with spaces between. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/;
const FORBIDDEN = /[\r\n\0]/;
const BEYOND_ASCII = /[\u0080-\uffff]/;

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
  /** The value, unfolded and without white space around it: from `valueStart` to `valueEnd` of `wire`. */
  readonly valueStart: number;
  readonly valueEnd: number;
  /** The `tag` of a From or To; `null` as long as nobody has looked. */
  tag: string | undefined | null;
  #wire: Wire | undefined;
  #field: HeaderField<never> | undefined;
  #first: unknown;

  /** @param wire where the value is; left out: where the line is */
  constructor(
    id: number,
    eightBit: boolean,
    text: string,
    start: number,
    end: number,
    valueStart: number,
    valueEnd: number,
    wire: Wire | undefined,
  ) {
    this.id = id;
    this.eightBit = eightBit;
    this.text = text;
    this.start = start;
    this.end = end;
    this.valueStart = valueStart;
    this.valueEnd = valueEnd;
    this.tag = null;
    this.#wire = wire;
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
    const value = text.slice(valueStart, end).replace(FOLD, " ");
    let last = value.length;
    while (last > 0 && value.charCodeAt(last - 1) <= 0x20) last--;
    let first = 0;
    while (first < last && isSpace(value.charCodeAt(first))) first++;
    return new HeaderLine(id, eightBit, text, start, end, first, last, Wire.of(value));
  }

  /** A line of its own. Throws `SIP_BAD_HEADER` unless the name is a token and the value without CR, LF and NUL. */
  static of(name: string, value: string): HeaderLine {
    const id = headerId(name);
    if (id === 0 && !isTokenText(name)) {
      throw new SipError("SIP_BAD_HEADER", "a header's name must be a token");
    }
    const wire = PLAIN.test(value) ? value : encoded(name, value);
    const text = `${name}: ${wire}\r\n`;
    return new HeaderLine(
      id,
      wire !== value && BEYOND_ASCII.test(wire),
      text,
      0,
      text.length,
      name.length + 2,
      text.length - 2,
      undefined,
    );
  }

  /** This line with another value: a wire string that is sent as it is. */
  withWireValue(value: string): HeaderLine {
    const head = `${this.name}: `;
    const text = `${head}${value}\r\n`;
    return new HeaderLine(
      this.id,
      this.eightBit,
      text,
      0,
      text.length,
      head.length,
      text.length - 2,
      undefined,
    );
  }

  /** Where the value is. */
  get wire(): Wire {
    this.#wire ??= Wire.of(this.text);
    return this.#wire;
  }

  /** Whether the value is folded: it is not in `text` then. */
  get isFolded(): boolean {
    return this.#wire !== undefined && this.#wire.text !== this.text;
  }

  /** The name as it is spelled. */
  get name(): string {
    return this.text.slice(this.start, this.#nameEnd());
  }

  isCalled(name: string): boolean {
    return isName(this.text, this.start, this.#nameEnd(), name);
  }

  /** The value on the wire, unfolded, without white space at either end. */
  get wireValue(): string {
    return (this.#wire?.text ?? this.text).slice(this.valueStart, this.valueEnd);
  }

  /** The value: unfolded, and decoded where it holds more than ASCII. */
  get value(): string {
    return this.eightBit ? fromWire(this.wireValue) : this.wireValue;
  }

  /** Every value of the line. */
  values(): readonly string[] {
    const values = this.wireValues();
    return this.eightBit ? values.map(fromWire) : values;
  }

  /** Every value of the line on the wire. */
  wireValues(): readonly string[] {
    return isListHeader(this.id) ? splitValues(this.wireValue) : [this.wireValue];
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

  /** One parameter of the first value, by way of {@link KnownField.param} where the field has that. */
  param<T extends WithParams>(field: HeaderField<T>, name: string): string | undefined {
    if (
      this.eightBit ||
      this.#field !== undefined ||
      !isKnown(field) ||
      field.param === undefined
    ) {
      return this.read(field)?.params.get(name);
    }
    return field.param(this.wire, this.valueStart, this.valueEnd, name);
  }

  /** Every value, parsed. */
  readAll<T>(field: HeaderField<T>): readonly T[] {
    const list = isListHeader(this.id);
    if (list && valueEnd(this.wire, this.valueStart, this.valueEnd) < this.valueEnd) {
      return this.eightBit || !isKnown(field)
        ? this.values().map((value) => field.parse(value))
        : this.#scanAll(field);
    }
    const first = this.read(field);
    return first === undefined && list ? [] : [first as T];
  }

  #parseFirst<T>(field: HeaderField<T>): T | undefined {
    const { valueStart } = this;
    if (this.eightBit || !isKnown(field)) {
      const first = isListHeader(this.id) ? this.values()[0] : this.value;
      return first === undefined ? undefined : field.parse(first);
    }
    if (!isListHeader(this.id)) return field.scan(this.wire, valueStart, this.valueEnd);
    const end = valueEnd(this.wire, valueStart, this.valueEnd);
    if (end > valueStart) return field.scan(this.wire, valueStart, end);
    const [first] = this.values();
    return first === undefined ? undefined : field.parse(first);
  }

  /** Reads each value of a list in place: a copy of each would cost more than to read it. */
  #scanAll<T>(field: KnownField<T>): readonly T[] {
    const { wire, valueEnd: end } = this;
    const all: T[] = [];
    for (let start = this.valueStart; start < end; ) {
      const stop = valueEnd(wire, start, end);
      const first = skipSpace(wire.octets, start, stop);
      const last = trimSpace(wire.octets, first, stop);
      if (first < last) all.push(field.scan(wire, first, last));
      start = stop + 1;
    }
    return all;
  }

  #nameEnd(): number {
    let end = this.text.indexOf(":", this.start);
    while (isSpace(this.text.charCodeAt(end - 1))) end--;
    return end;
  }
}

function isKnown<T>(field: HeaderField<T>): field is KnownField<T> {
  return (field as Partial<KnownField<T>>).scan !== undefined;
}

/** A value as it is sent: trimmed, and in UTF-8. */
function encoded(name: string, value: string): string {
  if (FORBIDDEN.test(value)) {
    throw new SipError("SIP_BAD_HEADER", `the value of ${name} must not hold CR, LF or NUL`);
  }
  let first = 0;
  let last = value.length;
  while (first < last && isSpace(value.charCodeAt(first))) first++;
  while (last > first && isSpace(value.charCodeAt(last - 1))) last--;
  return toWire(value.slice(first, last));
}
