import type { SrvRecord } from "node:dns";
import type { Random } from "../random.ts";
import { canonicalName, isInvalidName, isName } from "./dns-name.ts";

/** Where an SRV record leads; the target "" says that there is no such service. RFC 2782 */
export interface Place {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** SRV records of one service that are used. */
const MAX_PLACES = 16;
const RANDOM_BYTES = 6;

/** What of a service's SRV records is fit to be followed, the most preferred first. */
export function readSrv(records: readonly SrvRecord[]): readonly Place[] {
  const places: Place[] = [];
  for (const { name, port, priority, weight } of records) {
    const target = canonicalName(name);
    const usable = isName(target) && !isInvalidName(target) && port > 0;
    if (target === "" || usable) places.push({ target, port, priority, weight });
  }
  return places.sort((a, b) => a.priority - b.priority).slice(0, MAX_PLACES);
}

/**
 * Places in the order in which they are to be tried, drawn anew each time: lower priorities first, and of one priority
 * the likelier first the more weight it has.
 *
 * RFC 2782, "Usage rules" and "The format of the SRV RR: Weight"
 */
export function drawOrder(places: readonly Place[], random: Random): readonly Place[] {
  if (places.length < 2) return places;
  // Those of weight 0 stand first, and so have a small chance where others have weight.
  const left = places.toSorted(
    (a, b) => a.priority - b.priority || Number(a.weight > 0) - Number(b.weight > 0),
  );
  const drawn: Place[] = [];
  while (left.length > 0) drawn.push(...left.splice(draw(left, random), 1));
  return drawn;
}

/** Which of those of the first's priority is the next. */
function draw(places: readonly Place[], random: Random): number {
  const end = places.findIndex(({ priority }) => priority !== places[0]?.priority);
  const rivals = end < 0 ? places : places.slice(0, end);
  if (rivals.length < 2) return 0;
  const sum = rivals.reduce((all, { weight }) => all + weight, 0);
  const drawn = randomUpTo(sum, random);
  let running = 0;
  return rivals.findIndex(({ weight }) => {
    running += weight;
    return running >= drawn;
  });
}

/** A whole number from 0 to `max`, both included. Its bits are so many more than those of `max` that none is favoured. */
function randomUpTo(max: number, random: Random): number {
  if (max === 0) return 0;
  const number = random.bytes(RANDOM_BYTES).reduce((all, byte) => all * 256 + byte, 0);
  return number % (max + 1);
}
