import type { Leg } from "../arrival.ts";
import type { Request } from "../message/request.ts";
import { AddressList } from "../transport/address-list.ts";
import type { NextHop } from "./resolver.ts";

/**
 * Whether a request may go to a place that its sender, a contact or DNS named. It is asked once a place, with the leg that
 * it would go by, when names have become addresses.
 */
export type HopPolicy = (hop: NextHop, request: Request, leg: Leg) => boolean;

/** What differs from the rule: IP addresses, and blocks of them as `192.0.2.0/24`. */
export interface HopRules {
  /** Reached whatever the rule says: gateways on this machine or in its network. Default: none. */
  readonly allow?: readonly string[];
  /** Never reached, though `allow` or the rule would have it. Default: none. */
  readonly deny?: readonly string[];
}

/** Where nobody is who could be called: this network, multicast, reserved, broadcast; and IPv4 in IPv6's oldest clothes. */
const NOBODY = ["0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/96", "ff00::/8"];
/** Networks that no router leads to: who is in one of them is reached from within it alone. */
const LOOPBACK = ["127.0.0.0/8", "::1"];
const LINK_LOCAL = ["169.254.0.0/16", "fe80::/10"];
/** Private and shared networks, those of protocols and benchmarks, and site-local addresses, which were taken back. */
const PRIVATE = [
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24"],
  ...["198.18.0.0/15", "fc00::/7", "fec0::/10"],
];

/**
 * Lets requests go wherever routers lead: not to loopback or link-local addresses (`169.254.169.254`), but by a leg that is
 * bound to such a one itself, and never to unspecified, multicast and reserved ones. A dispatcher's default. Throws a
 * `SipError` (`SIP_BAD_OPTION`).
 */
export function routableAddresses(rules: HopRules = {}): HopPolicy {
  return policy(rules, []);
}

/** The same without private networks: for a server whose users and peers are all on the Internet, or are allowed by name. */
export function publicAddresses(rules: HopRules = {}): HopPolicy {
  return policy(rules, PRIVATE);
}

function policy({ allow = [], deny = [] }: HopRules, never: readonly string[]): HopPolicy {
  const allowed = new AddressList("allow", allow);
  const denied = new AddressList("deny", deny);
  const closed = new AddressList("networks", [...NOBODY, ...never]);
  const local = [LOOPBACK, LINK_LOCAL].map((network) => new AddressList("networks", network));
  return ({ address }, _request, leg) => {
    if (denied.has(address)) return false;
    if (allowed.has(address)) return true;
    const network = local.find((list) => list.has(address));
    return network === undefined ? !closed.has(address) : network.has(leg.address);
  };
}
