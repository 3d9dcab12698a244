import { isIP, SocketAddress } from "node:net";

const MAPPED = "::ffff:";

/** `host:port` with IPv6 addresses in brackets; the host alone without a port. Brackets that are there are kept. */
export function formatHostPort(host: string, port?: number): string {
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}

/** A host, IPv6 without brackets, and the port that was given with it. */
export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/** Splits `host`, `host:port`, `[v6]` or `[v6]:port`; `undefined` for anything else. The host is a name or an address. */
export function parseHostPort(text: string): HostPort | undefined {
  const bracketed = text.startsWith("[");
  const close = bracketed ? text.indexOf("]") : -1;
  if (bracketed && close < 0) return undefined;
  const colon = text.indexOf(":", close + 1);
  const end = colon < 0 ? text.length : colon;
  if (bracketed && end !== close + 1) return undefined;
  const host = bracketed ? text.slice(1, close) : text.slice(0, end);
  if (bracketed ? isIP(host) !== 6 : !isHost(host)) return undefined;
  if (colon < 0) return { host, port: undefined };
  const port = parsePort(text.slice(colon + 1));
  return port === undefined ? undefined : { host, port };
}

/** A port number of one to five ASCII digits, 0 to 65,535; `undefined` for anything else. */
function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** 4 or 6 for an address literal, IPv6 with or without brackets; 0 for a name. */
export function addressFamily(host: string): 0 | 4 | 6 {
  const family = isIP(bareHost(host));
  return family === 4 || family === 6 ? family : 0;
}

/** Whether a host is an IPv4 or IPv6 address (with or without brackets) and not a name. */
export function isAddressLiteral(host: string): boolean {
  return addressFamily(host) !== 0;
}

/** The host without the brackets of an IPv6 reference. */
export function bareHost(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/**
 * The one spelling of an address literal that sockets report too: IPv6 without brackets, lower-case, shortened
 * (`[0:0::1]` is `::1`), an IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) as what it is. Give it address literals
 * only.
 */
export function canonicalAddress(literal: string): string {
  const address = bareHost(literal);
  // A zone (`fe80::1%eth0`) is the machine's own affair and already as the machine spells it.
  if (isIP(address) !== 6 || address.includes("%")) return address;
  const shortest = new SocketAddress({ address, family: "ipv6" }).address;
  return shortest.startsWith(MAPPED) && shortest.includes(".")
    ? shortest.slice(MAPPED.length)
    : shortest;
}

/** Whether an address means "every address of this machine": 0.0.0.0 or ::. */
export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || (address.includes(":") && canonicalAddress(address) === "::");
}

/** Whether an address reaches this machine only: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** Letters, digits, dots and hyphens, at most 255 of them. RFC 3261 §25.1 */
function isHost(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9.])?$/.test(text);
}
