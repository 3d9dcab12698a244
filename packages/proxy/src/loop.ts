import { ParseError, type Request, type Server, via } from "@sipkit/core";
import type { Destination } from "./target-set.ts";

/** Ends the random part of a branch parameter of ours and begins its loop hash. It occurs in no token. */
const MARK = ".";

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The second part of a branch: equal when the same request comes here again with nothing changed that decides where
 * it goes. It depends on where it goes (each destination's URI) and on the Routes that are followed; Call-ID, From tag
 * and CSeq number keep a collision from happening twice.
 *
 * Never the method, the To tag or Proxy-* headers: an ACK or CANCEL has the branch of its INVITE. 32 bits suffice for
 * at most 70 comparisons.
 *
 * Deviation: of a request-URI that was looked up, what was found counts and not how it was written. It leads to the
 * very same places, and a loop through Contacts that differ in a meaningless parameter ends on its first lap.
 *
 * RFC 5393 §4.2.1, §4.2.4
 */
export function loopHash(
  request: Request,
  groups: readonly (readonly Destination[])[],
  followsRoutes: boolean,
): string {
  let hash = FNV_OFFSET;
  // Nothing was found yet: what is looked up tells a spiral from a loop.
  if (groups.length === 0) hash = mix(hash, request.uri);
  for (const group of groups) for (const { uri } of group) hash = mix(hash, uri);
  if (followsRoutes && request.headers.has("route")) {
    for (const route of request.headers.getAll("route")) hash = mix(hash, route);
  }
  hash = mix(hash, request.callId);
  hash = mix(hash, request.from.tag ?? "");
  hash = mix(hash, String(request.cseq.number));
  return (hash >>> 0).toString(36).padStart(7, "0");
}

/** A branch parameter without its magic cookie: a part that is unique and the loop hash. RFC 5393 §4.2.1 */
export function loopBranch(token: string, hash: string): string {
  return token + MARK + hash;
}

/**
 * Whether the request was here before, just as it is: a Via of ours carries the same hash. With another hash it is a
 * spiral, which is fine.
 *
 * RFC 5393 §4.2.2
 */
export function isLooped(vias: readonly string[], hash: string, server: Server): boolean {
  for (const value of vias) {
    // Only what may be ours is parsed: nothing is assumed of another element's Via.
    if (value.includes(MARK + hash) && isOurs(value, hash, server)) return true;
  }
  return false;
}

function isOurs(value: string, hash: string, server: Server): boolean {
  try {
    const { branch, sentBy } = via.parse(value);
    if (branch === undefined || !branch.endsWith(MARK + hash)) return false;
    const lower = sentBy.toLowerCase();
    return server.legs.some((leg) => leg.sentBy.toLowerCase() === lower);
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

/** FNV-1a over a string and an end mark, so that ("ab", "c") and ("a", "bc") differ. */
function mix(hash: number, text: string): number {
  let mixed = hash;
  for (let index = 0; index < text.length; index += 1) {
    mixed = Math.imul(mixed ^ text.charCodeAt(index), FNV_PRIME);
  }
  return Math.imul(mixed ^ 0xff, FNV_PRIME);
}
