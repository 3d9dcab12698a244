import type { Request, Response } from "@sipkit/core";

/** An answer to a stranger over UDP is at most this many times as long as his request. */
const MAX_FACTOR = 2;

/** More than an answer without a challenge adds to what it copies: status line, To tag, received, rport, Content-Length. */
const ADDED = 180;

/**
 * Holds answers to strangers to the size of what they sent: whoever forges the source of a datagram must not have us send
 * its owner a multiple of it. Over a connection, nobody else can be meant.
 */
export class Proportion {
  readonly #each: number;

  /** `each`: how many bytes a challenge takes at most, its header's name and line end included. */
  constructor(each: number) {
    this.#each = each;
  }

  /** Whether an answer with so many challenges may go to whoever sent the request. */
  allows(request: Request, answer: Response, challenges: number): boolean {
    const { arrival } = request;
    if (arrival?.size === undefined || arrival.from.protocol !== "udp") return true;
    // Most requests are so long that nothing has to be counted.
    if (arrival.size >= ADDED + challenges * this.#each) return true;
    return answer.toWire().length <= MAX_FACTOR * arrival.size;
  }
}
