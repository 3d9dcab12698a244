import { isTokenCode } from "./chars.ts";

/** Whether a text is a token: not empty, and nothing but token octets. RFC 3261 §25.1 */
export function isTokenText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (!isTokenCode(text.charCodeAt(i))) return false;
  }
  return text.length > 0;
}

/** What a quoted string says: its quotes and the backslashes that escape are taken off. RFC 3261 §25.1 */
export function unquote(text: string): string {
  return unescaped(text.slice(1, -1));
}

/** What is between the quotes of a quoted string, without the backslashes that escape. */
export function unescaped(inner: string): string {
  return inner.includes("\\") ? inner.replace(/\\([\s\S])/g, "$1") : inner;
}

/** A text as a quoted string. RFC 3261 §25.1 */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** Whether a part of a text is `name` in any ASCII case. */
export function isName(text: string, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    const a = text.charCodeAt(start + i);
    const b = name.charCodeAt(i);
    if (a === b) continue;
    const lower = a | 0x20;
    if (lower !== (b | 0x20) || lower < 0x61 || lower > 0x7a) return false;
  }
  return true;
}
