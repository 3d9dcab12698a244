/** Control, format and separator characters: what could drive a terminal, or turn a line round. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text with its control characters as escapes: what strangers send must not drive an operator's terminal. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xff ? `\\u{${code.toString(16)}}` : `\\x${code.toString(16).padStart(2, "0")}`;
  });
}

/** A printable text of at most that many characters; the last one tells that more is left out. */
export function shortened(text: string, length: number): string {
  // Cut before it is read: what strangers send may be long.
  const safe = printable(text.slice(0, length + 1));
  return safe.length <= length ? safe : `${safe.slice(0, length - 1)}…`;
}
