import type { Receive } from "@sipkit/core";

/** Leaves whatever comes from these addresses without an answer. */
export function dropBanned(banned: ReadonlySet<string>): Receive {
  return (packet, _leg, from) => packet.isRequest && banned.has(from.address) && "drop";
}
