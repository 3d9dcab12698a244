import { isDigit, isLetter } from "./chars.ts";

/** Where the colon after a URI's scheme is; -1 when there is no scheme. RFC 2396 §3.1 */
export function schemeEnd(octets: Uint8Array, start: number, end: number): number {
  if (!isLetter(octets[start] ?? 0)) return -1;
  for (let i = start + 1; i < end; i++) {
    const code = octets[i] ?? 0;
    if (code === 0x3a) return i;
    if (!isLetter(code) && !isDigit(code) && code !== 0x2b && code !== 0x2d && code !== 0x2e) break;
  }
  return -1;
}
