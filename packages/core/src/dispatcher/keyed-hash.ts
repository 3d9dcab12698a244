import { hash } from "node:crypto";

/**
 * A keyed hash for tags and tokens that only this server can have made: SHA-256 over key and text, of which less is given
 * away than would be needed to go on from it. One-shot hashes cost a third of `createHmac`.
 */
export class KeyedHash {
  readonly #key: string;

  /** `purpose` keeps the uses of one secret apart. */
  constructor(secret: string | Uint8Array, purpose: string) {
    const key = typeof secret === "string" ? secret : Buffer.from(secret).toString("hex");
    this.#key = hash("sha256", `${purpose}\n${key}`);
  }

  /** `length` characters of base64url over a text: 6 bits each, 32 at most. */
  of(text: string, length: number): string {
    return hash("sha256", this.#key + text, "base64url").slice(0, length);
  }
}
