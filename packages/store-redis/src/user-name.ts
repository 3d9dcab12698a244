/** How many parts the index has: in a cluster they lie on several nodes. Never to be changed: all servers must agree. */
export const PARTS = 16;

const PLAIN = "=";
const ODD = "~";

/** An address-of-record, which may be any string, as text that Redis gives back: what UTF-8 has no bytes for is spelled out. */
export function nameOf(addressOfRecord: string): string {
  if (!/\p{Surrogate}/u.test(addressOfRecord)) return PLAIN + addressOfRecord;
  return ODD + Buffer.from(addressOfRecord, "utf16le").toString("base64url");
}

export function addressOfRecordOf(name: string): string {
  const text = name.slice(1);
  return name.startsWith(PLAIN) ? text : Buffer.from(text, "base64url").toString("utf16le");
}

/** The part of the index that a user is in. FNV-1a */
export function partOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < name.length; at += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x0100_0193) >>> 0;
  }
  return hash % PARTS;
}
