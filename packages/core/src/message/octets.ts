import { Buffer } from "node:buffer";

/** Bytes as a wire string, one character a byte; a wire string as it is. */
export function wireOf(bytes: Uint8Array | string): string {
  if (typeof bytes === "string") return bytes;
  return Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length);
}

/** A wire string's bytes. */
export function bytesOf(wire: string): Uint8Array {
  const bytes = Buffer.from(wire, "latin1");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
