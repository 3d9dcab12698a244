import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import type { SecretRing } from "@sipkit/core";
import { derivedKey } from "../derived-key.ts";

/** Whom a Contact of ours stands for. */
export interface ContactOwner {
  readonly addressOfRecord: string;
  /** Which of the user's bindings; `undefined`: all of them. */
  readonly mark: string | undefined;
}

const PREFIX = "mid.";
const ALGORITHM = "aes-256-ctr";
/** The MAC is the cipher's initial counter, too, so that the same owner gives the same token each time. */
const MAC_BYTES = 16;
/** Longer texts than this are no tokens of ours. */
const LONGEST_TOKEN = 1024;

interface Keys {
  readonly mac: Buffer;
  readonly cipher: Buffer;
}

/**
 * The user parts of our Contacts at another registrar. They tell nothing, nobody can make one, nothing has to be kept of
 * them, and a refresh gets the same again.
 */
export class ContactTokens {
  /** The first makes them, all of them know theirs again. */
  readonly #keys: readonly [Keys, ...Keys[]];

  constructor([current, ...earlier]: SecretRing) {
    this.#keys = [keysOf(current), ...earlier.map(keysOf)];
  }

  seal({ addressOfRecord, mark = "" }: ContactOwner): string {
    const [keys] = this.#keys;
    const text = Buffer.from(`${mark}\n${addressOfRecord}`);
    const mac = macOf(text, keys);
    const hidden = createCipheriv(ALGORITHM, keys.cipher, mac).update(text);
    return PREFIX + Buffer.concat([mac, hidden]).toString("base64url");
  }

  /** `undefined`: it was not made here. */
  open(user: string): ContactOwner | undefined {
    if (!user.startsWith(PREFIX) || user.length > LONGEST_TOKEN) return undefined;
    const bytes = Buffer.from(user.slice(PREFIX.length), "base64url");
    if (bytes.length <= MAC_BYTES) return undefined;
    for (const keys of this.#keys) {
      const text = opened(bytes, keys);
      if (text === undefined) continue;
      const end = text.indexOf("\n");
      return { addressOfRecord: text.slice(end + 1), mark: text.slice(0, end) || undefined };
    }
    return undefined;
  }
}

/** Whether a user part is written as ours are. */
export function isTokenLike(user: string): boolean {
  return user.startsWith(PREFIX);
}

function opened(bytes: Buffer, keys: Keys): string | undefined {
  const mac = bytes.subarray(0, MAC_BYTES);
  const text = createDecipheriv(ALGORITHM, keys.cipher, mac).update(bytes.subarray(MAC_BYTES));
  return timingSafeEqual(macOf(text, keys), mac) ? text.toString() : undefined;
}

function macOf(text: Buffer, { mac }: Keys): Buffer {
  return createHmac("sha256", mac).update(text).digest().subarray(0, MAC_BYTES);
}

function keysOf(secret: string | Uint8Array): Keys {
  return {
    mac: derivedKey("mid-registrar mac", secret),
    cipher: derivedKey("mid-registrar cipher", secret),
  };
}
