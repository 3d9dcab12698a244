import { createHash } from "node:crypto";
import { SipError } from "@sipkit/core";

/** Bytes of a name that is its own key. LMDB takes keys of 1,978 bytes, and the index puts eight before it. */
const MAX_NAME = 512;
const NAME = 1;
const HASH = 2;

/** The key of an address-of-record, which may be any string: its UTF-8 bytes, or a hash where it is long or has none. */
export function userKey(addressOfRecord: string): Buffer {
  const size = Buffer.byteLength(addressOfRecord);
  if (size > MAX_NAME || /\p{Surrogate}/u.test(addressOfRecord)) {
    const hash = createHash("sha256").update(Buffer.from(addressOfRecord, "utf16le")).digest();
    return Buffer.concat([Buffer.of(HASH), hash]);
  }
  const key = Buffer.allocUnsafe(1 + size);
  key[0] = NAME;
  key.write(addressOfRecord, 1);
  return key;
}

/** A key as text that survives a URL. */
export function writeCursor(key: Uint8Array): string {
  return Buffer.from(key).toString("base64url");
}

/** Throws `SIP_BAD_CURSOR` for what no key was written as. */
export function readCursor(text: string): Buffer {
  const key = Buffer.from(text, "base64url");
  const isKey = key.length > 0 && key.length <= 1 + MAX_NAME && key.toString("base64url") === text;
  if (isKey && (key[0] === NAME || key[0] === HASH)) return key;
  throw new SipError("SIP_BAD_CURSOR", "no page of this store ended there");
}
