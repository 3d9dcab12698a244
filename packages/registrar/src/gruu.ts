import { createCipheriv, createDecipheriv, hash } from "node:crypto";
import { type Random, type SecretRing, type SipUri, unescapeUser } from "@sipkit/core";
import { derivedKey } from "./derived-key.ts";

/** Whom a GRUU names. */
export interface GruuOwner {
  readonly addressOfRecord: string;
  /** As its Contact has it: `<urn:uuid:…>`. */
  readonly instance: string;
  /** Of a temporary one: what stands for the Call-ID that it was given out for. */
  readonly call: string | undefined;
}

const ALGORITHM = "aes-256-gcm";
const PREFIX = "tgruu.";
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Base64url characters that a Call-ID is known by: 72 bits. */
const CALL_LENGTH = 12;
/** What is hidden is filled up to a multiple of so many bytes, so that its length tells little. */
const BLOCK = 96;

/** Whether a URI has a `gr` parameter, and so is, or would be, a GRUU. RFC 5627 §3.1 */
export function hasGr(uri: string): boolean {
  return uri.includes(";") && /;gr(?:[=;?]|$)/i.test(uri);
}

/** A short stand-in for a Call-ID. */
export function callMark(callId: string): string {
  return hash("sha256", callId, "base64url").slice(0, CALL_LENGTH);
}

/**
 * Makes and reads URIs that name one device. A public one is the address-of-record with the instance as `gr`; a temporary
 * one hides both under a key, so that nothing has to be kept of it, nobody can make one, and no two look related.
 *
 * RFC 5627 §5.4, Appendix A
 */
export class Gruus {
  /** The first makes them, all of them know theirs again. */
  readonly #keys: readonly [Buffer, ...Buffer[]];
  readonly #random: Random;

  constructor([current, ...earlier]: SecretRing, random: Random) {
    this.#keys = [keyOf(current), ...earlier.map(keyOf)];
    this.#random = random;
  }

  publicOf(addressOfRecord: string, instance: string): string {
    const at = addressOfRecord.lastIndexOf("@");
    const user = escape(addressOfRecord.slice("sip:".length, at));
    return `sip:${user}${addressOfRecord.slice(at)};gr=${escape(bare(instance))}`;
  }

  /** A new one each time. */
  temporaryOf(addressOfRecord: string, instance: string, callId: string): string {
    const hidden = Buffer.from(`${callMark(callId)}${addressOfRecord}\n${instance}\n`);
    const filled = Buffer.alloc(Math.ceil(hidden.length / BLOCK) * BLOCK);
    hidden.copy(filled);
    const iv = this.#random.bytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#keys[0], iv);
    const parts = [iv, cipher.update(filled), cipher.final(), cipher.getAuthTag()];
    const domain = addressOfRecord.slice(addressOfRecord.lastIndexOf("@"));
    return `sip:${PREFIX}${Buffer.concat(parts).toString("base64url")}${domain};gr`;
  }

  /**
   * Whom a URI with a `gr` parameter names; `undefined`: nobody, it was not made here. `addressOfRecord`: that of the URI.
   */
  ownerOf(uri: SipUri, addressOfRecord: string): GruuOwner | undefined {
    const gr = uri.params.get("gr");
    if (gr !== undefined) {
      const instance = unescapeUser(gr);
      return { addressOfRecord, instance: `<${instance}>`, call: undefined };
    }
    const { user = "" } = uri;
    return user.startsWith(PREFIX) ? this.#open(user.slice(PREFIX.length)) : undefined;
  }

  #open(token: string): GruuOwner | undefined {
    const bytes = Buffer.from(token, "base64url");
    if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
    let text: string | undefined;
    for (const key of this.#keys) text ??= decrypted(bytes, key);
    if (text === undefined) return undefined;
    const [addressOfRecord = "", instance = ""] = text.slice(CALL_LENGTH).split("\n");
    return { addressOfRecord, instance, call: text.slice(0, CALL_LENGTH) };
  }
}

function keyOf(secret: string | Uint8Array): Buffer {
  return derivedKey("temporary gruu", secret);
}

/** What a key hides; `undefined`: it was another key. */
function decrypted(bytes: Buffer, key: Buffer): string | undefined {
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const hidden = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
    return Buffer.concat([hidden, decipher.final()]).toString();
  } catch {
    return undefined;
  }
}

/** An instance without its angle brackets. */
function bare(instance: string): string {
  return instance.startsWith("<") && instance.endsWith(">") ? instance.slice(1, -1) : instance;
}

/** As part of a URI: what is no letter, digit or colon is escaped where it must be. */
function escape(text: string): string {
  return encodeURIComponent(text).replaceAll("%3A", ":");
}
