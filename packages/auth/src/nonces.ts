import { hash } from "node:crypto";
import type { Random } from "@sipkit/core";
import { ConstantTime } from "./constant-time.ts";
import { Mac } from "./mac.ts";

/** A key, as text or bytes. */
export type Secret = string | Uint8Array;

/** What a nonce of ours says. */
export interface Nonce {
  /** Whether it was made by this life of this server: only those can be told fresh from used. */
  readonly own: boolean;
  /** `clock.now()` when it was made, in whole milliseconds: that of the life that made it. */
  readonly madeAt: number;
  /** 48 random bits. */
  readonly serial: number;
}

/** What the nonces of a server are made with. */
export interface NonceOptions {
  /**
   * Whoever knows one can make nonces. Shared by the servers of a cluster, and by a server's lives. The first makes
   * ours, the others only know theirs again.
   */
  readonly secrets: readonly [Secret, ...Secret[]];
  readonly realm: string;
  readonly node: string;
  readonly epoch: string;
  readonly random: Random;
}

// Four fields of whole groups of 6 bytes, so that each is a text of its own without padding or spare bits.
const FIELD = 8;
const HEAD = 3 * FIELD;
const CODE = 24;
/** How many characters a nonce has. */
export const NONCE_LENGTH: number = HEAD + CODE;
const FIELD_BYTES = 6;
const POOL_FIELDS = 256;

/**
 * Makes nonces that need no memory, and knows them again: base64url of this life of the server (48 bits of a
 * hash over node and epoch), the time, 48 random bits, and 144 bits of an HMAC over all of them with a key made from
 * the secret and the realm.
 *
 * Time is the monotonic clock's: a step of the wall clock makes no nonce older or younger, and across lives a nonce
 * counts as old whatever its time.
 *
 * RFC 7616 §3.3, §5.4
 */
export class Nonces {
  readonly #mac: Mac;
  readonly #earlier: readonly Mac[];
  readonly #random: Random;
  readonly #life: string;
  readonly #codes: ConstantTime = new ConstantTime(CODE);
  readonly #bytes: Buffer = Buffer.alloc(HEAD);
  #pool = "";
  #taken = 0;

  constructor(options: NonceOptions) {
    const { realm, node, epoch, random } = options;
    const [current, ...earlier] = options.secrets;
    this.#mac = macOf(current, realm);
    this.#earlier = earlier.map((secret) => macOf(secret, realm));
    this.#random = random;
    this.#life = hash("sha256", `${node}\0${epoch}\0${random.token()}`, "base64url").slice(
      0,
      FIELD,
    );
  }

  /** A new nonce; `now` is `clock.now()`. */
  make(now: number): string {
    this.#bytes.writeUIntBE(Math.max(0, Math.floor(now)), 0, FIELD_BYTES);
    const head = this.#life + this.#bytes.toString("base64url", 0, FIELD_BYTES) + this.#chance();
    return head + this.#mac.sign(head).slice(0, CODE);
  }

  /**
   * What a nonce says, when a server with a secret of ours and our realm made it; `undefined` for any other text, also for
   * another spelling of one of ours.
   */
  read(text: string): Nonce | undefined {
    if (text.length !== NONCE_LENGTH || !/^[\w-]+$/.test(text)) return undefined;
    const head = text.slice(0, HEAD);
    const code = text.slice(HEAD);
    const isCurrent = this.#isOf(this.#mac, head, code);
    if (!isCurrent && !this.#earlier.some((mac) => this.#isOf(mac, head, code))) return undefined;
    this.#bytes.write(head, "base64url");
    return {
      own: isCurrent && head.startsWith(this.#life),
      madeAt: this.#bytes.readUIntBE(FIELD_BYTES, FIELD_BYTES),
      serial: this.#bytes.readUIntBE(2 * FIELD_BYTES, FIELD_BYTES),
    };
  }

  #isOf(mac: Mac, head: string, code: string): boolean {
    return this.#codes.equal(mac.sign(head).slice(0, CODE), code);
  }

  #chance(): string {
    if (this.#taken === this.#pool.length) {
      const bytes = this.#random.bytes(POOL_FIELDS * FIELD_BYTES);
      this.#pool = Buffer.from(bytes).toString("base64url");
      this.#taken = 0;
    }
    this.#taken += FIELD;
    return this.#pool.slice(this.#taken - FIELD, this.#taken);
  }
}

function macOf(secret: Secret, realm: string): Mac {
  const key = Buffer.concat([Buffer.from(`sipkit nonce\0${realm}\0`), Buffer.from(secret)]);
  return new Mac(Buffer.from(hash("sha256", key, "hex"), "hex"), HEAD);
}
