import type { Random } from "@sipkit/core";

/** A number from 0 to less than 1. */
export function chanceOf(random: Random): number {
  const [a = 0, b = 0, c = 0] = random.bytes(3);
  return (a * 65_536 + b * 256 + c) / 2 ** 24;
}
