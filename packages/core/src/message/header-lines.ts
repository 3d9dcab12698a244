import { SipError } from "../errors.ts";
import { isToken, isWord, trimSpace } from "./chars.ts";
import type { HeaderField, KnownField } from "./header-field.ts";
import { HeaderLine } from "./header-line.ts";
import { headerId, isListHeader } from "./header-names.ts";
import type { Headers, HeadersInit } from "./headers.ts";

const FORBIDDEN = /[\r\n\0]/;

/** The lines of a message behind its {@link Headers}. Copies share their lines until one of them is changed. */
export class HeaderLines implements Headers {
  #lines: readonly HeaderLine[];
  /** Whether `#lines` may be seen by others. */
  #shared: boolean;
  /** Whether anything was changed since these lines were parsed or copied. */
  #changed = false;

  /** `lines` are not copied: whoever keeps them must not change them. */
  constructor(lines: readonly HeaderLine[] = [], shared = false) {
    this.#lines = lines;
    this.#shared = shared;
  }

  static from(init: HeadersInit | undefined): HeaderLines {
    const headers = new HeaderLines();
    if (init === undefined) return headers;
    const pairs = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of pairs as Iterable<readonly [string, string | readonly string[]]>) {
      for (const each of typeof value === "string" ? [value] : value) headers.add(name, each);
    }
    return headers;
  }

  get lines(): readonly HeaderLine[] {
    return this.#lines;
  }

  get changed(): boolean {
    return this.#changed;
  }

  /** The lines as they are now, whatever is changed afterwards. */
  snapshot(): readonly HeaderLine[] {
    this.#shared = true;
    return this.#lines;
  }

  /** A copy that shares the lines. */
  copy(): HeaderLines {
    const copy = new HeaderLines(this.snapshot(), true);
    copy.#changed = this.#changed;
    return copy;
  }

  /** The first line of a known header. */
  first(id: number): HeaderLine | undefined {
    const lines = this.#lines;
    for (let i = 0; i < lines.length; i++) {
      if (lines[i]?.id === id) return lines[i];
    }
    return undefined;
  }

  /** Puts a line in the place of another. */
  replace(line: HeaderLine, by: HeaderLine): void {
    const lines = this.#own();
    lines[lines.indexOf(line)] = by;
  }

  /** Puts lines before all others. */
  putFirst(lines: readonly HeaderLine[]): void {
    this.#lines = this.#lines.length === 0 ? lines : [...lines, ...this.#lines];
    this.#shared = false;
    this.#changed = true;
  }

  /** Adds a line at the very end. */
  add(name: string, value: string): void {
    this.#own().push(checkedLine(name, value));
  }

  get(name: string): string | undefined {
    const id = headerId(name);
    for (const line of this.#lines) {
      if (!matches(line, id, name)) continue;
      const first = isListHeader(id) ? line.values()[0] : line.value;
      if (first !== undefined) return first;
    }
    return undefined;
  }

  getAll(name: string): readonly string[] {
    const id = headerId(name);
    const values: string[] = [];
    for (const line of this.#lines) {
      if (matches(line, id, name)) values.push(...line.values());
    }
    return values;
  }

  has(name: string): boolean {
    return this.#indexOf(name) >= 0;
  }

  set(name: string, value: string | readonly string[]): void {
    const written = typeof value === "string" ? [value] : value;
    const fresh = written.map((each) => checkedLine(name, each));
    const id = headerId(name);
    const lines = this.#own();
    const at = this.#indexOf(name);
    if (at < 0) {
      lines.push(...fresh);
      return;
    }
    const rest = lines.slice(at + 1).filter((line) => !matches(line, id, name));
    lines.splice(at, lines.length - at, ...fresh, ...rest);
  }

  append(name: string, value: string): void {
    const fresh = checkedLine(name, value);
    const id = headerId(name);
    const lines = this.#own();
    const last = lines.findLastIndex((line) => matches(line, id, name));
    lines.splice(last < 0 ? lines.length : last + 1, 0, fresh);
  }

  prepend(name: string, value: string): void {
    const fresh = checkedLine(name, value);
    const at = this.#indexOf(name);
    this.#own().splice(Math.max(at, 0), 0, fresh);
  }

  delete(name: string): boolean {
    if (this.#indexOf(name) < 0) return false;
    const id = headerId(name);
    const kept = this.#lines.filter((line) => !matches(line, id, name));
    this.#lines = kept;
    this.#shared = false;
    this.#changed = true;
    return true;
  }

  shift(name: string): string | undefined {
    const id = headerId(name);
    for (;;) {
      const at = this.#indexOf(name);
      const line = this.#lines[at];
      if (line === undefined) return undefined;
      const [first, ...rest] = line.values();
      const lines = this.#own();
      if (rest.length === 0) lines.splice(at, 1);
      else lines[at] = HeaderLine.of(line.name, rest.join(", "));
      if (first !== undefined || id === 0) return first;
    }
  }

  read<T>(field: HeaderField<T>): T | undefined {
    const known = (field as Partial<KnownField<T>>).id;
    if (known !== undefined) {
      for (const line of this.#lines) {
        if (line.id !== known) continue;
        const value = line.read(field);
        if (value !== undefined) return value;
      }
      return undefined;
    }
    for (const line of this.#linesOf(field)) {
      const value = line.read(field);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  readAll<T>(field: HeaderField<T>): readonly T[] {
    return this.#linesOf(field).flatMap((line) => line.readAll(field));
  }

  write<T>(field: HeaderField<T>, value: T | readonly T[]): void {
    const values = (Array.isArray(value) ? value : [value]) as readonly T[];
    this.set(
      field.name,
      values.map((each) => field.format(each)),
    );
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (const line of this.#lines) yield [line.name, line.value];
  }

  #indexOf(name: string): number {
    const id = headerId(name);
    return this.#lines.findIndex((line) => matches(line, id, name));
  }

  #linesOf<T>(field: HeaderField<T>): readonly HeaderLine[] {
    const id = headerId(field.name);
    const { compact } = field;
    return this.#lines.filter(
      (line) =>
        matches(line, id, field.name) ||
        (compact !== undefined && id === 0 && matches(line, headerId(compact), compact)),
    );
  }

  #own(): HeaderLine[] {
    if (this.#shared) {
      this.#lines = this.#lines.slice();
      this.#shared = false;
    }
    this.#changed = true;
    return this.#lines as HeaderLine[];
  }
}

function matches(line: HeaderLine, id: number, name: string): boolean {
  if (id !== 0 || line.id !== 0) return line.id === id;
  const colon = line.text.indexOf(":", line.start);
  return isWord(line.text, line.start, trimSpace(line.text, line.start, colon), name);
}

function checkedLine(name: string, value: string): HeaderLine {
  if (!isToken(name)) throw new SipError("SIP_BAD_HEADER", "a header's name must be a token");
  if (FORBIDDEN.test(value)) {
    throw new SipError("SIP_BAD_HEADER", `the value of ${name} must not hold CR, LF or NUL`);
  }
  return HeaderLine.of(name, value);
}
