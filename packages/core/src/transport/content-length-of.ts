const HT = 9;
const LF = 10;
const CR = 13;
const SP = 32;
const HYPHEN = 45;
const COLON = 58;
const LOWER_C = 99;
const LOWER_L = 108;

/**
 * What a header says of the length of its message: the value of a Content-Length in either form, unfolded and trimmed;
 * `undefined` for another header. It is `bytes` from `from` to `to`, its line ends included.
 *
 * RFC 3261 §18.3, §20.14
 */
export function contentLengthOf(bytes: Uint8Array, from: number, to: number): string | undefined {
  return mayBeContentLength(bytes, from) ? read(bytes, from, to) : undefined;
}

function read(bytes: Uint8Array, from: number, to: number): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  const name = trim(text.slice(0, colon)).toLowerCase();
  return name === "content-length" || name === "l" ? trim(text.slice(colon + 1)) : undefined;
}

/** Whether a header begins as Content-Length in either form does: tells most others apart without reading them. */
function mayBeContentLength(bytes: Uint8Array, at: number): boolean {
  const first = (bytes[at] ?? 0) | 0x20;
  if (first === LOWER_L) return isColonOrSpace(bytes[at + 1] ?? 0);
  return first === LOWER_C && bytes[at + 7] === HYPHEN && ((bytes[at + 8] ?? 0) | 0x20) === LOWER_L;
}

function isColonOrSpace(byte: number): boolean {
  return byte === COLON || byte === SP || byte === HT;
}

/** Takes SP, HT, CR and LF off both ends, and nothing else that JavaScript takes for a space. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from += 1;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === SP || code === HT || code === CR || code === LF;
}
