import { isDigit, isSpace, isTokenCode } from "./chars.ts";

/** The first position from `start` that holds neither a space nor a tab. */
export function skipSpace(octets: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && isSpace(octets[i] ?? 0)) i++;
  return i;
}

/** The end of a part without the spaces and tabs that it ends with. */
export function trimSpace(octets: Uint8Array, start: number, end: number): number {
  let i = end;
  while (i > start && isSpace(octets[i - 1] ?? 0)) i--;
  return i;
}

/** The end of the token that begins at `start`; `start` when none does. RFC 3261 §25.1 */
export function tokenEnd(octets: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && isTokenCode(octets[i] ?? 0)) i++;
  return i;
}

/** Whether a part is a token: not empty, and nothing but token octets. RFC 3261 §25.1 */
export function isToken(octets: Uint8Array, start: number, end: number): boolean {
  return start < end && tokenEnd(octets, start, end) === end;
}

/** The end of the digits that begin at `start`. */
export function digitsEnd(octets: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && isDigit(octets[i] ?? 0)) i++;
  return i;
}

/** The number that a part spells in ASCII digits; -1 when it is anything else, or over `max`. */
export function digitsOf(octets: Uint8Array, start: number, end: number, max: number): number {
  if (start >= end) return -1;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = (octets[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
    if (number > max) return -1;
  }
  return number;
}

/** Whether `SIP/2.0` is at `i`, in capitals. */
export function isSip20(octets: Uint8Array, i: number): boolean {
  return (
    octets[i] === 0x53 &&
    octets[i + 1] === 0x49 &&
    octets[i + 2] === 0x50 &&
    octets[i + 3] === 0x2f &&
    octets[i + 4] === 0x32 &&
    octets[i + 5] === 0x2e &&
    octets[i + 6] === 0x30
  );
}

/** Whether the octets from `start` on are those of `word`, which is in lower case, in any ASCII case. */
export function startsWithWord(octets: Uint8Array, start: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const code = octets[start + i] ?? 0;
    const wanted = word.charCodeAt(i);
    if (code === wanted) continue;
    if ((code | 0x20) !== wanted || wanted < 0x61 || wanted > 0x7a) return false;
  }
  return true;
}

/** Whether a part is `word`, which is in lower case, in any ASCII case. */
export function isWord(octets: Uint8Array, start: number, end: number, word: string): boolean {
  return end - start === word.length && startsWithWord(octets, start, word);
}

/** Whether a part is `text`, case and all. */
export function isPart(octets: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (octets[start + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
