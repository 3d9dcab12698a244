import type { Request } from "@sipkit/core";

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
const SEPARATOR = 0xffff;

/**
 * 32 bits over what makes one REGISTER differ from another of the same Call-ID and CSeq: its branch, From tag,
 * request-URI, Contacts, Expires and Path. Whoever makes two of them collide gains an answer without an effect.
 *
 * RFC 3261 §10.3
 */
export function digestOf(request: Request): number {
  const { headers } = request;
  let hash = mix(OFFSET, request.uri);
  hash = mix(hash, request.topmostVia?.branch ?? "");
  hash = mix(hash, request.from.tag ?? "");
  hash = mix(hash, headers.get("expires") ?? "");
  for (const contact of headers.getAll("contact")) hash = mix(hash, contact);
  if (headers.has("path")) for (const hop of headers.getAll("path")) hash = mix(hash, hop);
  return hash;
}

/** FNV-1a, a separator after each text. */
function mix(hash: number, text: string): number {
  let mixed = hash;
  for (let index = 0; index < text.length; index += 1) {
    mixed = Math.imul(mixed ^ text.charCodeAt(index), PRIME);
  }
  return Math.imul(mixed ^ SEPARATOR, PRIME);
}
