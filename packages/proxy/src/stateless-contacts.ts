import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  timingSafeEqual,
} from "node:crypto";
import {
  type ContactValue,
  contact,
  type Leg,
  type Packet,
  ParseError,
  parseSipUri,
  type Server,
  type SipUri,
} from "@sipkit/core";
import { isSipUri } from "./target-set.ts";

const CIPHER = "aes-256-ctr";
const KEY_LENGTH = 32;
const MAC_LENGTH = 16;

/** Begins the user part of our Contacts: it shall not look like a telephone number. */
const PREFIX = "rc.";
/** Shorter user parts that begin so are somebody's name. */
const SHORTEST_USER = PREFIX.length + 32;
const LONGEST_USER = 1024;

/** A Contact's URI, in bytes, and Contacts of a message. */
const LONGEST_CONTACT = 512;
const MAX_CONTACTS = 16;

/** A Contact that we had rewritten. */
export interface OpenedContact {
  readonly uri: string;
  /** The leg that it is reached by. */
  readonly leg: Leg;
}

/**
 * Contacts as URIs of ours: they hold, encrypted and authenticated, the Contact itself, the leg that it came in on and
 * the leg that it was handed out on. So nothing of it is kept, and who is on one side learns no address of the other.
 *
 * The same Contact gives the same URI each time, or a phone that registers through us would have a new binding with every
 * refresh: the initialisation vector is a keyed hash of what is encrypted, and the proof of it as well.
 */
export class StatelessContacts {
  readonly #server: Server;
  readonly #isAlways: boolean;
  readonly #macKey: Buffer;
  readonly #key: Buffer;

  /** `isAlways`: also where both sides are on one leg. */
  constructor(server: Server, secret: string | Uint8Array, isAlways: boolean) {
    this.#server = server;
    this.#isAlways = isAlways;
    const keys = Buffer.from(hkdfSync("sha256", secret, "", "sipkit contact", 2 * KEY_LENGTH));
    this.#macKey = keys.subarray(0, KEY_LENGTH);
    this.#key = keys.subarray(KEY_LENGTH);
  }

  /** Rewrites the Contacts of a message that came in on one leg and goes out on another; its own come back as they were. */
  rewrite(message: Packet, from: Leg, to: Leg): void {
    if (!message.headers.has("contact") || (from === to && !this.#isAlways)) return;
    let values: readonly (ContactValue | "*")[];
    try {
      values = message.headers.readAll(contact);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#server.count("contactsNotRewritten");
      return;
    }
    if (values.length > MAX_CONTACTS) {
      this.#server.count("contactsNotRewritten");
      return;
    }
    message.headers.write(
      contact,
      values.map((value) =>
        value === "*" ? value : { ...value, uri: this.#other(value.uri, from, to) },
      ),
    );
  }

  /** What a URI of ours stands for, to whom came in on `leg`; `undefined`: it is none of them. */
  open(uri: string, leg: Leg): OpenedContact | "forged" | undefined {
    const sip = this.#ours(uri);
    if (sip === undefined) return undefined;
    const opened = this.#decrypt(sip.user ?? "");
    // What was handed out on one side is of no use on another: at least the address must be the same.
    if (opened === undefined || opened.handedOut.address !== leg.address) return "forged";
    return { uri: opened.uri, leg: opened.leg };
  }

  #other(uri: string, from: Leg, to: Leg): string {
    if (!isSipUri(uri)) return uri;
    const sip = this.#ours(uri);
    if (sip !== undefined) {
      const opened = this.#decrypt(sip.user ?? "");
      // It comes back to the side that it is from: the 200 to a REGISTER lists a phone's own.
      return opened !== undefined && opened.leg.address === to.address ? opened.uri : uri;
    }
    if (Buffer.byteLength(uri) > LONGEST_CONTACT) {
      this.#server.count("contactsNotRewritten");
      return uri;
    }
    const scheme = uri.slice(0, uri.indexOf(":")).toLowerCase();
    const transport = to.protocol === "udp" ? "" : `;transport=${to.protocol}`;
    return `${scheme}:${this.#encrypt(uri, from, to)}@${to.sentBy}${transport}`;
  }

  /** A URI that can only be one of ours. */
  #ours(uri: string): SipUri | undefined {
    if (!uri.includes(`:${PREFIX}`) || !this.#server.isLocal(uri)) return undefined;
    const sip = parseSipUri(uri);
    const { user = "" } = sip;
    return user.startsWith(PREFIX) && user.length >= SHORTEST_USER ? sip : undefined;
  }

  #encrypt(uri: string, from: Leg, to: Leg): string {
    const { legs } = this.#server;
    const text = Buffer.from(`${legs.indexOf(from)} ${legs.indexOf(to)} ${uri}`, "utf8");
    const mac = this.#mac(text);
    const cipher = createCipheriv(CIPHER, this.#key, mac);
    const sealed = Buffer.concat([mac, cipher.update(text), cipher.final()]);
    return PREFIX + sealed.toString("base64url");
  }

  #decrypt(user: string): (OpenedContact & { readonly handedOut: Leg }) | undefined {
    if (user.length > LONGEST_USER) return undefined;
    const sealed = Buffer.from(user.slice(PREFIX.length), "base64url");
    if (sealed.length <= MAC_LENGTH) return undefined;
    const mac = sealed.subarray(0, MAC_LENGTH);
    const decipher = createDecipheriv(CIPHER, this.#key, mac);
    const text = Buffer.concat([decipher.update(sealed.subarray(MAC_LENGTH)), decipher.final()]);
    if (!timingSafeEqual(this.#mac(text), mac)) return undefined;
    const [from = "", to = "", uri = ""] = text.toString("utf8").split(" ", 3);
    const leg = this.#server.legs[Number(from)];
    const handedOut = this.#server.legs[Number(to)];
    return leg === undefined || handedOut === undefined ? undefined : { uri, leg, handedOut };
  }

  #mac(text: Buffer): Buffer {
    return createHmac("sha256", this.#macKey).update(text).digest().subarray(0, MAC_LENGTH);
  }
}
