import { Buffer } from "node:buffer";
import { ParseError, SipError } from "../errors.ts";
import { Head } from "./head.ts";
import { type CSeq, cseq } from "./header/cseq.ts";
import { from } from "./header/from.ts";
import { to } from "./header/to.ts";
import { type Via, via } from "./header/via.ts";
import type { HeaderField } from "./header-field.ts";
import type { HeaderLine } from "./header-line.ts";
import { HeaderLines } from "./header-lines.ts";
import { CALL_ID, FROM, headerName, TO } from "./header-names.ts";
import type { Headers, HeadersInit } from "./headers.ts";
import type { NameAddr } from "./name-addr.ts";
import type { PacketKey } from "./packet-key.ts";
import { bytesOf } from "./wire.ts";
import { writeMessage } from "./write-message.ts";

/** What a message may be made with. A string as body is sent as UTF-8. */
export interface MessageInit {
  readonly headers?: HeadersInit;
  readonly body?: Uint8Array | string;
}

let readHead: (message: Message) => Head;

/** What a message is made of: for those in message/ alone. */
export function headOf(message: Message): Head {
  return readHead(message);
}

/** What requests and responses have in common. RFC 3261 §7 */
export abstract class Message {
  readonly #head: Head;
  /** What was set, or taken out of the text. */
  #body: Uint8Array | undefined;
  #bodySet = false;
  #facts: Map<PacketKey<never>, unknown> | undefined;
  /** Whether another message looks at the same facts. */
  #factsShared = false;

  static {
    readHead = (message) => message.#head;
  }

  protected constructor(init: MessageInit | Head) {
    if (init instanceof Head) {
      this.#head = init;
      return;
    }
    this.#head = new Head("", 0, 0, 0, 0, HeaderLines.from(init.headers));
    if (init.body !== undefined) {
      this.body = typeof init.body === "string" ? Buffer.from(init.body, "utf8") : init.body;
    }
  }

  get headers(): Headers {
    return this.#head.headers;
  }

  /** The body's bytes. Assign another to change it: what is changed within is not seen. */
  get body(): Uint8Array {
    this.#body ??= bytesOf(this.#head.text.slice(this.#head.bodyStart, this.#head.bodyEnd));
    return this.#body;
  }

  /** Content-Length follows when the message is sent. */
  set body(body: Uint8Array) {
    this.#body = body;
    this.#bodySet = true;
  }

  get callId(): string {
    return this.#line(CALL_ID).value;
  }

  get cseq(): CSeq {
    return this.#required(cseq);
  }

  get from(): NameAddr {
    return this.#required(from);
  }

  get to(): NameAddr {
    return this.#required(to);
  }

  /** The first Via; `undefined` when there is none. Throws a `ParseError` when it is malformed. */
  get topmostVia(): Via | undefined {
    return this.#head.headers.read(via);
  }

  /** The tag of From: `from.tag`, found without reading the rest. */
  get fromTag(): string | undefined {
    const line = this.#line(FROM);
    return line.tag === null ? this.from.tag : line.tag;
  }

  /** The tag of To: `to.tag`, found without reading the rest. */
  get toTag(): string | undefined {
    const line = this.#line(TO);
    return line.tag === null ? this.to.tag : line.tag;
  }

  /** The branch of the topmost Via: `topmostVia?.branch`. */
  get branch(): string | undefined {
    return this.topmostVia?.branch;
  }

  /** The fact that a handler left under this key. */
  get<T>(key: PacketKey<T>): T | undefined {
    return this.#facts?.get(key as unknown as PacketKey<never>) as T | undefined;
  }

  /** As {@link get}; throws `SIP_MISSING_FACT`, with the key's name, when there is none. */
  need<T>(key: PacketKey<T>): T {
    const fact = this.get(key);
    if (fact === undefined) {
      throw new SipError("SIP_MISSING_FACT", `no handler has set ${key.name} on this packet`);
    }
    return fact;
  }

  /** Leaves a fact for the handlers that follow. */
  set<T>(key: PacketKey<T>, value: T): void {
    if (this.#facts === undefined || this.#factsShared) {
      this.#facts = new Map(this.#facts);
      this.#factsShared = false;
    }
    this.#facts.set(key as unknown as PacketKey<never>, value);
  }

  /** The message as a wire string: one character a byte. */
  toWire(): string {
    return writeMessage(this.#head, this.startLine(), this.#bodySet ? this.#body : undefined);
  }

  /** The message as bytes. */
  toBytes(): Uint8Array {
    return bytesOf(this.toWire());
  }

  /** The start line with its line end; `undefined` when it is the one that came. */
  protected abstract startLine(): string | undefined;

  /** Takes over body and facts of the message that this is a clone of. */
  protected adopt(original: Message): void {
    this.#body = original.#body;
    this.#bodySet = original.#bodySet;
    if (original.#facts !== undefined) {
      this.#facts = original.#facts;
      this.#factsShared = original.#factsShared = true;
    }
  }

  #line(id: number): HeaderLine {
    const line = this.#head.headers.first(id);
    if (line === undefined) throw missing(headerName(id));
    return line;
  }

  #required<T>(field: HeaderField<T>): T {
    const value = this.#head.headers.read(field);
    if (value === undefined) throw missing(field.name);
    return value;
  }
}

function missing(header: string): ParseError {
  return new ParseError(`Missing ${header}`, { header });
}
