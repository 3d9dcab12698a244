const TOKEN_MARKS = "-.!%*_+`'~";

const TOKEN: Uint8Array = new Uint8Array(256);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  if (/[A-Za-z0-9]/.test(char) || TOKEN_MARKS.includes(char)) TOKEN[code] = 1;
}

/** Whether an octet may stand in a token. RFC 3261 §25.1 */
export function isTokenCode(code: number): boolean {
  return TOKEN[code] === 1;
}

/** Whether a part of a text is a token: not empty, and nothing but token octets. RFC 3261 §25.1 */
export function isToken(text: string, start: number = 0, end: number = text.length): boolean {
  for (let i = start; i < end; i++) {
    if (!isTokenCode(text.charCodeAt(i))) return false;
  }
  return start < end;
}

/** The first position from `start` that holds neither a space nor a tab. */
export function skipSpace(text: string, start: number, end: number): number {
  let i = start;
  while (i < end && isSpace(text.charCodeAt(i))) i++;
  return i;
}

/** The end of a part of a text without the spaces and tabs that it ends with. */
export function trimSpace(text: string, start: number, end: number): number {
  let i = end;
  while (i > start && isSpace(text.charCodeAt(i - 1))) i--;
  return i;
}

export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The number that a part of a text spells in ASCII digits; -1 when it is anything else, or over `max`. */
export function digitsOf(text: string, start: number, end: number, max: number): number {
  if (start >= end) return -1;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
    if (number > max) return -1;
  }
  return number;
}

/** Whether two octets are the same ASCII letter in any case, or the same octet. */
function sameLetter(a: number, b: number): boolean {
  if (a === b) return true;
  const lower = a | 0x20;
  return lower === (b | 0x20) && lower >= 0x61 && lower <= 0x7a;
}

/** Whether `length` octets of two texts are the same in any ASCII case. */
export function isSamePart(
  a: string,
  aStart: number,
  b: string,
  bStart: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) {
    if (!sameLetter(a.charCodeAt(aStart + i), b.charCodeAt(bStart + i))) return false;
  }
  return true;
}

/** Whether a part of a text is `word` in any ASCII case. */
export function isWord(text: string, start: number, end: number, word: string): boolean {
  return end - start === word.length && isSamePart(text, start, word, 0, word.length);
}

/**
 * The position after the quote that closes the quoted string which `start` opens; -1 when none does.
 *
 * RFC 3261 §25.1
 */
export function skipQuoted(text: string, start: number, end: number): number {
  let close = text.indexOf('"', start + 1);
  while (close > 0 && close < end) {
    let before = close;
    while (before - 1 > start && text.charCodeAt(before - 1) === 0x5c) before--;
    // A quote after an odd number of backslashes is escaped.
    if (((close - before) & 1) === 0) return close + 1;
    close = text.indexOf('"', close + 1);
  }
  return -1;
}

/** What a quoted string says: its quotes and the backslashes that escape are taken off. RFC 3261 §25.1 */
export function unquote(text: string): string {
  const inner = text.slice(1, -1);
  return inner.includes("\\") ? inner.replace(/\\([\s\S])/g, "$1") : inner;
}

/** A text as a quoted string. RFC 3261 §25.1 */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
