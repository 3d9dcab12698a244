import { headOf, type Message } from "../message/message.ts";

/** What a machine with its final response keeps alive besides its key and its wire string, in bytes by estimate. */
export const SETTLED_BYTES = 512;

/** What a pending machine keeps besides: itself, the objects that a request is made of, and what its user keeps for it. */
export const PENDING_BYTES = 5120;

/** What a pending machine keeps alive, in bytes by estimate: the text that came in counts with what is cut out of it. */
export function footprintOf(request: Message): number {
  return PENDING_BYTES + 2 * headOf(request).text.length;
}
