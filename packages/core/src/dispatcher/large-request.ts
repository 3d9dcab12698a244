import type { Request } from "../message/request.ts";
import type { SetAside } from "./set-aside.ts";
import type { Way } from "./way.ts";

/** The longest request that goes over UDP where TCP will do, in bytes. */
const MAX_OVER_UDP = 1_300;

/**
 * The way that a request takes with what is on it by now: what is larger than 1,300 bytes goes by TCP where the next hop
 * may have it so, and was not found to have none a moment ago.
 *
 * RFC 3261 §18.1.1
 */
export function wayFor(request: Request, way: Way, setAside: SetAside): Way {
  const { leg, peer, otherwise, large } = way;
  if (large === undefined || request.toWire().length <= MAX_OVER_UDP) return way;
  const byTcp = { ...peer, protocol: "tcp" } as const;
  if (setAside.has(byTcp)) return way;
  return { leg: large, peer: byTcp, otherwise: { leg, peer, otherwise, isSamePlace: true } };
}
