import type { HeaderField, KnownField } from "./header-field.ts";
import { HeaderLine } from "./header-line.ts";
import { headerId, isListHeader } from "./header-names.ts";
import type { Headers, HeadersInit, WithParams } from "./headers.ts";
import { LineIndex } from "./line-index.ts";
import { fromWire } from "./utf8.ts";

const NONE: readonly string[] = [];

/** The lines of a message behind its {@link Headers}. Copies share their lines until one of them is changed. */
export class HeaderLines implements Headers {
  #lines: readonly HeaderLine[];
  /** Whether `#lines` may be seen by others. */
  #shared: boolean;
  /** Whether anything was changed since these lines were parsed. */
  #changed = false;
  /** Where the first lines are; `undefined` once lines have come or gone. */
  #index: LineIndex | undefined;

  /** `lines` are not copied: whoever keeps them must not change them. */
  constructor(lines: readonly HeaderLine[] = [], index?: LineIndex) {
    this.#lines = lines;
    this.#shared = false;
    this.#index = index;
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
    const copy = new HeaderLines(this.snapshot(), this.#index);
    copy.#shared = true;
    copy.#changed = this.#changed;
    return copy;
  }

  /** The first line of a known header. */
  first(id: number): HeaderLine | undefined {
    const lines = this.#lines;
    const index = this.#index;
    if (index?.knows(id)) return index.first(id);
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i];
      if (line?.id === id) return line;
    }
    return undefined;
  }

  /** The first line that is one too many of its header: see {@link isSingle}. */
  get repeated(): HeaderLine | undefined {
    if (this.#index !== undefined) return this.#index.repeated;
    const index = new LineIndex();
    for (const line of this.#lines) index.note(line);
    return index.repeated;
  }

  /** Puts a line in the place of another. */
  replace(line: HeaderLine, by: HeaderLine): void {
    // Copies share the index, too.
    const index = this.#shared ? undefined : this.#index;
    const lines = this.#own();
    lines[lines.indexOf(line)] = by;
    index?.replace(line, by);
    this.#index = index;
  }

  /** Puts lines before all others. */
  putFirst(lines: readonly HeaderLine[]): void {
    this.#lines = this.#lines.length === 0 ? lines : [...lines, ...this.#lines];
    this.#shared = false;
    this.#changed = true;
    this.#index = undefined;
  }

  /** Adds a line at the very end. */
  add(name: string, value: string): void {
    this.#own().push(HeaderLine.of(name, value));
  }

  get(name: string): string | undefined {
    const id = headerId(name);
    if (id !== 0 && !isListHeader(id)) return this.first(id)?.value;
    for (const line of this.#lines) {
      if (!matches(line, id, name)) continue;
      const [first] = line.values();
      if (first !== undefined) return first;
    }
    return undefined;
  }

  getAll(name: string): readonly string[] {
    const id = headerId(name);
    if (id !== 0 && this.first(id) === undefined) return NONE;
    const values: string[] = [];
    for (const line of this.#lines) {
      if (!matches(line, id, name)) continue;
      // Not spread: a list of a hundred thousand would be as many arguments.
      for (const value of line.values()) values.push(value);
    }
    return values;
  }

  has(name: string): boolean {
    const id = headerId(name);
    return id === 0 ? this.#indexOf(id, name) >= 0 : this.first(id) !== undefined;
  }

  set(name: string, value: string | readonly string[]): void {
    const fresh =
      typeof value === "string"
        ? [HeaderLine.of(name, value)]
        : value.map((each) => HeaderLine.of(name, each));
    const id = fresh[0]?.id ?? headerId(name);
    const lines = this.#own();
    const at = this.#indexOf(id, name);
    if (at < 0) {
      lines.push(...fresh);
      return;
    }
    let to = at + 1;
    for (let i = to; i < lines.length; i++) {
      const line = lines[i] as HeaderLine;
      if (!matches(line, id, name)) lines[to++] = line;
    }
    lines.length = to;
    const [only] = fresh;
    if (fresh.length === 1 && only !== undefined) lines[at] = only;
    else lines.splice(at, 1, ...fresh);
  }

  append(name: string, value: string): void {
    const fresh = HeaderLine.of(name, value);
    const lines = this.#own();
    let at = lines.length;
    while (at > 0 && !matches(lines[at - 1] as HeaderLine, fresh.id, name)) at--;
    insert(lines, at === 0 ? lines.length : at, fresh);
  }

  prepend(name: string, value: string): void {
    const fresh = HeaderLine.of(name, value);
    const at = this.#indexOf(fresh.id, name);
    insert(this.#own(), Math.max(at, 0), fresh);
  }

  delete(name: string): boolean {
    if (!this.has(name)) return false;
    const id = headerId(name);
    this.#lines = this.#lines.filter((line) => !matches(line, id, name));
    this.#shared = false;
    this.#changed = true;
    this.#index = undefined;
    return true;
  }

  shift(name: string): string | undefined {
    const id = headerId(name);
    for (;;) {
      const at = this.#indexOf(id, name);
      const line = this.#lines[at];
      if (line === undefined) return undefined;
      const [first, ...rest] = line.wireValues();
      const lines = this.#own();
      if (rest.length === 0) lines.splice(at, 1);
      else lines[at] = line.withWireValue(rest.join(", "));
      if (first !== undefined) return line.eightBit ? fromWire(first) : first;
    }
  }

  read<T>(field: HeaderField<T>): T | undefined {
    const id = (field as Partial<KnownField<T>>).id;
    if (id === undefined) return firstValue(this.#linesOf(field), field);
    const line = this.first(id);
    const value = line?.read(field);
    // An empty list: the next line may have a value.
    return line === undefined || value !== undefined
      ? value
      : firstValue(this.#linesOf(field), field);
  }

  param<T extends WithParams>(field: HeaderField<T>, name: string): string | undefined {
    const { id } = field as Partial<KnownField<T>>;
    const line = id === undefined ? this.#linesOf(field)[0] : this.first(id);
    return line?.param(field, name);
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

  #indexOf(id: number, name: string): number {
    const lines = this.#lines;
    for (let i = 0; i < lines.length; i++) {
      if (matches(lines[i] as HeaderLine, id, name)) return i;
    }
    return -1;
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
    this.#index = undefined;
    return this.#lines as HeaderLine[];
  }
}

function firstValue<T>(lines: readonly HeaderLine[], field: HeaderField<T>): T | undefined {
  for (const line of lines) {
    const value = line.read(field);
    if (value !== undefined) return value;
  }
  return undefined;
}

function matches(line: HeaderLine, id: number, name: string): boolean {
  return id === 0 && line.id === 0 ? line.isCalled(name) : line.id === id;
}

/** Puts a line before the one at `at`. */
function insert(lines: HeaderLine[], at: number, line: HeaderLine): void {
  for (let i = lines.length; i > at; i--) lines[i] = lines[i - 1] as HeaderLine;
  lines[at] = line;
}
