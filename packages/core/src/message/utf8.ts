import { Buffer } from "node:buffer";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether a text holds nothing but ASCII. */
export function isAsciiText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}

/** The text that a wire string spells in UTF-8; the wire string itself when it is no UTF-8. RFC 3261 §7 */
export function fromWire(wire: string): string {
  if (isAsciiText(wire)) return wire;
  try {
    return decoder.decode(Buffer.from(wire, "latin1"));
  } catch {
    return wire;
  }
}

/** A text as a wire string: UTF-8, one character a byte. RFC 3261 §7 */
export function toWire(text: string): string {
  return isAsciiText(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}
