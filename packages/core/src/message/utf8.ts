import { Buffer } from "node:buffer";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const BEYOND_ASCII = /[\u0080-\uffff]/;

/** The text that a wire string spells in UTF-8; the wire string itself when it is no UTF-8. RFC 3261 §7 */
export function fromWire(wire: string): string {
  if (!BEYOND_ASCII.test(wire)) return wire;
  try {
    return decoder.decode(Buffer.from(wire, "latin1"));
  } catch {
    return wire;
  }
}

/** A text as a wire string: UTF-8, one character a byte. RFC 3261 §7 */
export function toWire(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}
