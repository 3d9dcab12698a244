import type { Protocol } from "../arrival.ts";

/** An answer to a stranger's datagram is at most this many times as long. */
const MAX_FACTOR = 2;

/**
 * Whether an answer is so much longer than what it answers that it must not be sent as it is: the source of a datagram may be
 * forged, and whoever really has that address would get a multiple of what was spent. Over a connection nobody else can
 * be meant.
 */
export function isTooLongFor(
  answer: string,
  from: { readonly protocol: Protocol },
  size: number | undefined,
): boolean {
  return size !== undefined && from.protocol === "udp" && answer.length > MAX_FACTOR * size;
}
