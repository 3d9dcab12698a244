import { skipSpace, trimSpace } from "./octets.ts";
import { skipQuoted, Wire } from "./wire.ts";

/** The position of the first comma that is in neither quotes nor angle brackets, or `end`. RFC 3261 §7.3.1 */
export function valueEnd(wire: Wire, start: number, end: number): number {
  const { text, octets } = wire;
  const comma = text.indexOf(",", start);
  if (comma < 0 || comma >= end) return end;
  let i = start;
  while (i < end) {
    const code = octets[i];
    if (code === 0x2c) return i;
    if (code === 0x22) {
      const after = skipQuoted(wire, i, end);
      i = after < 0 ? end : after;
    } else if (code === 0x3c) {
      const close = text.indexOf(">", i);
      i = close < 0 || close >= end ? end : close + 1;
    } else i++;
  }
  return end;
}

/** The values of a comma-separated list; empty ones are left out. RFC 3261 §7.3.1 */
export function splitValues(text: string): string[] {
  if (!text.includes(",")) return text === "" ? [] : [text];
  const wire = Wire.of(text);
  const values: string[] = [];
  let start = 0;
  while (start < text.length) {
    const stop = valueEnd(wire, start, text.length);
    const first = skipSpace(wire.octets, start, stop);
    const last = trimSpace(wire.octets, first, stop);
    if (first < last) values.push(text.slice(first, last));
    start = stop + 1;
  }
  return values;
}
