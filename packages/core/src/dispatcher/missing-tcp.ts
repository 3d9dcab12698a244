import { formatHostPort } from "../transport/host-port.ts";
import type { TransportLeg } from "../transport/leg.ts";

/**
 * Warns, before they listen, of a UDP leg that has no TCP leg on its port: a message over 1,300 bytes comes by TCP to where it would have
 * come by UDP.
 *
 * RFC 3261 §18.2.1
 */
export function warnOfMissingTcp(legs: readonly TransportLeg[]): void {
  for (const { protocol, address, port, isOwnSocket } of legs) {
    // Port 0 is a client's: nobody was told where to reach it.
    if (protocol !== "udp" || !isOwnSocket || port === 0) continue;
    if (legs.some((leg) => leg.protocol === "tcp" && mayListenOn(leg, address, port))) continue;
    const where = formatHostPort(address, port);
    process.emitWarning(
      `udp:${where} has no tcp:${where} beside it: large requests will not arrive`,
      {
        code: "SIP_NO_TCP",
      },
    );
  }
}

/** Where a leg on a server of the caller's listens is not known yet. */
function mayListenOn(leg: TransportLeg, address: string, port: number): boolean {
  return !leg.isOwnSocket || (leg.address === address && leg.port === port);
}
