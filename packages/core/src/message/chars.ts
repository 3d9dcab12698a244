/** Every octet that may stand in a token. RFC 3261 §25.1 */
const TOKEN_MARKS = "-.!%*_+`'~";

/** Octets by what they may stand in: bits of the constants below. */
const CLASS: Uint8Array = new Uint8Array(256);
const TOKEN = 1;
const HOST = 2;
const URI = 4;
const VALUE = 8;
const LETTER = 16;

for (let code = 0; code < 256; code++) {
  const char = String.fromCharCode(code);
  const digit = code >= 0x30 && code <= 0x39;
  const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  const visible = code > 0x20 && code !== 0x7f;
  CLASS[code] =
    (digit || letter || TOKEN_MARKS.includes(char) ? TOKEN : 0) |
    // The underscore is in no host name's grammar, and in many a network.
    (digit || letter || ".-_".includes(char) ? HOST : 0) |
    (visible && !'"<>'.includes(char) ? URI : 0) |
    (visible && !'",;<>'.includes(char) ? VALUE : 0) |
    (letter ? LETTER : 0);
}

/** Whether an octet may stand in a token. RFC 3261 §25.1 */
export function isTokenCode(code: number): boolean {
  return ((CLASS[code] ?? 0) & TOKEN) !== 0;
}

/** Whether an octet may stand in a host name or an IPv4 address. */
export function isHostCode(code: number): boolean {
  return ((CLASS[code] ?? 0) & HOST) !== 0;
}

/** Whether an octet may stand in some URI: all but white space, controls, quotes and angle brackets. */
export function isUriCode(code: number): boolean {
  return ((CLASS[code] ?? 0) & URI) !== 0;
}

/** Whether an octet may stand in a parameter's value that isn't quoted: liberal, for `received=2001:db8::1`. */
export function isValueCode(code: number): boolean {
  return ((CLASS[code] ?? 0) & VALUE) !== 0;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function isLetter(code: number): boolean {
  return ((CLASS[code] ?? 0) & LETTER) !== 0;
}

export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Whether an octet may stand in an IPv6 address. */
export function isAddressCode(code: number): boolean {
  const lower = code | 0x20;
  return isDigit(code) || (lower >= 0x61 && lower <= 0x66) || code === 0x3a || code === 0x2e;
}
