import { isTooLongFor, type Request, type Response } from "@sipkit/core";

/** More than an answer without a challenge adds to what it copies: status line, To tag, received, rport, Content-Length. */
const ADDED = 180;

/** Holds challenges to what `isTooLongFor` allows, and asks it only for those that may be too long. */
export class Proportion {
  readonly #each: number;

  /** `each`: how many bytes a challenge takes at most, its header's name and line end included. */
  constructor(each: number) {
    this.#each = each;
  }

  /** Whether an answer with so many challenges may go to whoever sent the request. */
  allows(request: Request, answer: Response, challenges: number): boolean {
    const { arrival } = request;
    if (arrival?.size === undefined) return true;
    // Most requests are so long that nothing has to be counted.
    if (arrival.size >= ADDED + challenges * this.#each) return true;
    return !isTooLongFor(answer.toWire(), arrival.from, arrival.size);
  }
}
