const LARGEST = 4_294_967_295;
const MALFORMED = 3600;

/**
 * The seconds that an Expires header or an `expires` parameter asks for. What is malformed counts as 3600, what is
 * beyond 2^32-1 as that.
 *
 * RFC 3261 §10.2, §20.19
 */
export function requestedSeconds(text: string): number {
  if (!/^[0-9]+$/.test(text)) return MALFORMED;
  return Math.min(Number(text), LARGEST);
}
