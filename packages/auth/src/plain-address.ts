const MAPPED = "::ffff:";

/** An address as it is written for its family: an IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) as what it is. */
export function plainAddress(address: string): string {
  return address.startsWith(MAPPED) && address.includes(".")
    ? address.slice(MAPPED.length)
    : address;
}
