import type { HeaderLine } from "./header-line.ts";
import { isSingle } from "./header-names.ts";

/** The headers whose first line is noted: those with the lowest numbers, which everybody asks for. */
const NOTED = 16;

/** The first lines of a message's headers, as long as no line comes or goes: no search where everybody asks. */
export class LineIndex {
  readonly #firsts: (HeaderLine | undefined)[] = new Array(NOTED);
  /** One bit a header, numbers modulo 32. */
  #present = 0;
  #repeated: HeaderLine | undefined;

  /** The first line that is one too many of its header: see {@link isSingle}. */
  get repeated(): HeaderLine | undefined {
    return this.#repeated;
  }

  /** Notes the next line. */
  note(line: HeaderLine): void {
    const { id } = line;
    this.#present |= 1 << (id & 31);
    if (id >= NOTED) return;
    if (this.#firsts[id] === undefined) this.#firsts[id] = line;
    else if (isSingle(id)) this.#repeated ??= line;
  }

  /** Whether {@link first} can tell. */
  knows(id: number): boolean {
    return id < NOTED || (this.#present & (1 << (id & 31))) === 0;
  }

  /** The first line of a header. */
  first(id: number): HeaderLine | undefined {
    return id < NOTED ? this.#firsts[id] : undefined;
  }

  /** Notes that a line takes the place of another of the same header. */
  replace(line: HeaderLine, by: HeaderLine): void {
    if (this.#firsts[line.id] === line) this.#firsts[line.id] = by;
  }
}
