import type { Binding } from "../binding.ts";
import { isDown, type PingStates } from "./ping-states.ts";
import type { QualifySettings } from "./qualify-options.ts";

/**
 * A user's bindings that a request can be sent to, in the order in which those of equal preference are tried: who
 * answers fastest first, where that is wanted, and who doesn't answer last, whatever its preference. Where nobody answers
 * all are as they were: that they can't be reached is a guess.
 */
export function orderedByPings(
  addressOfRecord: string,
  bindings: readonly Binding[],
  states: PingStates,
  { whenUnreachable, sortsByLatency }: QualifySettings,
): readonly Binding[] {
  if (bindings.length < 2 || states.size === 0) return bindings;
  const known = bindings.map((binding) => ({
    binding,
    reachability: states.of(addressOfRecord, binding),
  }));
  if (sortsByLatency) {
    known.sort((a, b) => timeOf(a.reachability) - timeOf(b.reachability));
  }
  const up = known.filter(({ reachability }) => !isDown(reachability));
  const ordered = up.map(({ binding }) => binding);
  if (up.length === 0) return known.map(({ binding }) => binding);
  if (up.length === known.length || whenUnreachable === "skip") return ordered;
  const down = known.filter(({ reachability }) => isDown(reachability));
  return [...ordered, ...down.map(({ binding }) => ({ ...binding, q: 0 }))];
}

/** Who has not answered yet comes after those who have. */
function timeOf({ roundTripTime }: { readonly roundTripTime?: number }): number {
  return roundTripTime ?? Number.MAX_VALUE;
}
