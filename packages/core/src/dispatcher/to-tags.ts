import type { Request } from "../message/request.ts";
import { KeyedHash } from "./keyed-hash.ts";

const TAG_LENGTH = 16;

/**
 * To tags of our answers: a keyed hash of what an INVITE, its retransmissions, its ACK and its CANCEL have in common.
 * So an answer that left no state gets the same tag again, and the ACK to it is recognised without state.
 *
 * RFC 3261 §8.2.6.2, §8.2.7
 */
export class ToTags {
  readonly #hash: KeyedHash;

  constructor(secret: string | Uint8Array) {
    this.#hash = new KeyedHash(secret, "to tag");
  }

  tag(request: Request): string {
    const via = request.topmostVia;
    const { callId, fromTag, cseq } = request;
    const text = `${via?.branch}\n${via?.sentBy}\n${callId}\n${fromTag}\n${cseq.number}`;
    return this.#hash.of(text, TAG_LENGTH);
  }

  /** Whether an ACK acknowledges an answer of ours that may have left no state. */
  recognises(ack: Request): boolean {
    return ack.toTag === this.tag(ack);
  }
}
