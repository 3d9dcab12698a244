import type { Leg, Protocol } from "../arrival.ts";
import { addressFamily, isLoopback } from "./host-port.ts";

/**
 * The leg to reach an address through: of its protocol and its address family, and where there are several, one that is
 * on the loopback interface exactly when the address is; the first of those. `undefined` when no leg can reach it.
 */
export function chooseLeg<L extends Leg>(
  legs: readonly L[],
  hop: { readonly protocol: Protocol; readonly address: string },
): L | undefined {
  const family = addressFamily(hop.address);
  const local = isLoopback(hop.address);
  let second: L | undefined;
  for (const leg of legs) {
    if (leg.protocol !== hop.protocol || addressFamily(leg.address) !== family) continue;
    if (isLoopback(leg.address) === local) return leg;
    second ??= leg;
  }
  return second;
}
