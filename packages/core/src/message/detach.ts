import { Buffer } from "node:buffer";

/** The engine copies shorter slices by itself. */
const SHORTEST_SLICE = 13;

/**
 * A copy of a text that shares no memory with what it was cut from: a slice of a datagram keeps the whole datagram
 * alive. For everything that is kept longer than its packet.
 */
export function detach(text: string): string {
  if (text.length < SHORTEST_SLICE) return text;
  const copy = Buffer.from(text, "latin1").toString("latin1");
  return copy === text ? copy : Buffer.from(text, "utf16le").toString("utf16le");
}
