import { ParseError } from "../errors.ts";
import {
  isSamePart,
  isSpace,
  isTokenCode,
  skipQuoted,
  skipSpace,
  trimSpace,
  unquote,
} from "./chars.ts";

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;

/**
 * Goes over header parameters, `;name=value` as often as it comes, checking their syntax: a name is a token, and a
 * value without quotes holds neither a semicolon nor a quote.
 */
export class ParamCursor {
  readonly #text: string;
  readonly #end: number;
  /** Where the next parameter begins. */
  #at: number;
  /** Where the syntax is wrong; -1 as long as it is right. */
  #fault = -1;
  #name = 0;
  #nameEnd = 0;
  #value = -1;
  #valueEnd = 0;
  #nextQuote = -1;

  constructor(text: string, start: number, end: number) {
    this.#text = text;
    this.#end = end;
    this.#at = start;
  }

  /** Goes to the next parameter; `false` when there is none, or when the syntax is wrong. */
  next(): boolean {
    const text = this.#text;
    const end = this.#end;
    let i = this.#at;
    if (i >= end || text.charCodeAt(i) !== SEMICOLON) return false;
    i++;
    if (isSpace(text.charCodeAt(i))) i = skipSpace(text, i, end);
    const name = i;
    while (i < end && isTokenCode(text.charCodeAt(i))) i++;
    if (i === name) return this.#fail(i);
    this.#name = name;
    this.#nameEnd = i;
    this.#value = -1;
    if (i < end && isSpace(text.charCodeAt(i))) i = skipSpace(text, i, end);
    if (i < end && text.charCodeAt(i) === EQUALS) i = this.#readValue(i + 1);
    this.#at = i;
    return i >= 0;
  }

  /** Whether the name is `word`, which is given in lower case, in any case. */
  is(word: string): boolean {
    const name = this.#name;
    return (
      this.#nameEnd - name === word.length && isSamePart(this.#text, name, word, 0, word.length)
    );
  }

  /** The value, without quotes; `undefined` when there is none. */
  get value(): string | undefined {
    if (this.#value < 0) return undefined;
    const value = this.#text.slice(this.#value, this.#valueEnd);
    return value.charCodeAt(0) === QUOTE ? unquote(value) : value;
  }

  /** Throws a `ParseError` that names the header unless all was read and right. */
  finish(header: string): void {
    if (this.#fault < 0 && this.#at === this.#end) return;
    const offset = this.#fault < 0 ? this.#at : this.#fault;
    throw new ParseError(`Malformed ${header}: its parameters`, { header, offset });
  }

  #readValue(after: number): number {
    const text = this.#text;
    const end = this.#end;
    const value = isSpace(text.charCodeAt(after)) ? skipSpace(text, after, end) : after;
    if (value >= end) return this.#failValue(value);
    const code = text.charCodeAt(value);
    this.#value = value;
    if (code === QUOTE) {
      const close = skipQuoted(text, value, end);
      if (close < 0) return this.#failValue(value);
      this.#valueEnd = close;
      return close < end && isSpace(text.charCodeAt(close)) ? skipSpace(text, close, end) : close;
    }
    if (code === SEMICOLON) return this.#failValue(value);
    const semicolon = text.indexOf(";", value);
    const stop = semicolon < 0 || semicolon > end ? end : semicolon;
    if (this.#nextQuote < value) {
      const quote = text.indexOf('"', value);
      this.#nextQuote = quote < 0 ? end : quote;
    }
    if (this.#nextQuote < stop) return this.#failValue(this.#nextQuote);
    this.#valueEnd = isSpace(text.charCodeAt(stop - 1)) ? trimSpace(text, value, stop) : stop;
    return stop;
  }

  #failValue(at: number): number {
    this.#fail(at);
    return -1;
  }

  #fail(at: number): false {
    this.#fault = at;
    return false;
  }
}
