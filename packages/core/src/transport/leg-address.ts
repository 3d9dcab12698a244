import type { Socket as DatagramSocket } from "node:dgram";
import type { Server } from "node:net";
import type { Protocol } from "../arrival.ts";
import { SipError } from "../errors.ts";
import { addressFamily, canonicalAddress, formatHostPort, parseHostPort } from "./host-port.ts";
import type { StreamLimits } from "./stream-limits.ts";
import type { TlsOptions } from "./tls-options.ts";
import type { Transport } from "./transport.ts";
import type { WebSocketOptions } from "./websocket-options.ts";

/** Where a leg listens: `udp:127.0.0.1:5060`, `tcp:[::1]:0`. Without a port: 5060, 5061 for tls, 80 for ws, 443 for wss. */
export type LegAddress = `${Protocol}:${string}`;

/** One of a server's legs. */
export interface LegOptions {
  /**
   * An address; or a transport, a socket or a server of your own. A `dgram.Socket` makes a udp leg, a `net.Server` a tcp
   * leg, a `tls.Server` a tls leg, an `http.Server` a ws leg, an `https.Server` a wss leg. You have it listen, before
   * `dispatcher.listen()` or within 10 s of it, and you close it: the leg closes the connections that it has, then leaves
   * it alone. Certificates that are shown to those who connect to a server of yours are yours, too.
   */
  readonly listen: LegAddress | Transport | DatagramSocket | Server;
  /**
   * The name by which others reach this leg, `host` or `host:port`, IPv6 in brackets: it goes into Via, Record-Route and
   * Contact. Default: the bound address. A leg on 0.0.0.0 or :: needs it.
   */
  readonly advertise?: string;
  /**
   * Whether other processes of this user may listen on the same address and port: the kernel then deals what comes among
   * them, always the same peer's to the same one while none of them comes or goes (`docs/all-cores.md`). Of an address
   * alone, and from Node 22.12 or 23.1 on. Default: false.
   */
  readonly reusePort?: boolean;
  /** Bounds of a stream leg that differ from the server's. */
  readonly limits?: Partial<StreamLimits>;
  /**
   * Certificates of a tls or wss leg, which needs them; on a server of your own they are for connections that we open
   * alone, and may be left out.
   */
  readonly tls?: TlsOptions;
  /** Whom a ws or wss leg lets in. */
  readonly websocket?: WebSocketOptions;
}

/** A {@link LegAddress} taken apart: the address is a literal, IPv6 without brackets. */
export interface ListenAddress {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** See `LegOptions.reusePort`. */
  readonly reusePort?: boolean;
}

/** The port of a protocol where none is given. RFC 3261 §19.1.2, RFC 7118 §5.5 */
export const defaultPorts: Readonly<Record<Protocol, number>> = {
  udp: 5060,
  tcp: 5060,
  tls: 5061,
  ws: 80,
  wss: 443,
};

/**
 * Reads a leg from a command line or a configuration file. Throws a `SipError` (`SIP_BAD_LEG`) that says what is wrong.
 *
 * @example
 * parseLeg("udp:127.0.0.1:5060");
 */
export function parseLeg(text: string): LegOptions {
  const { protocol, address, port } = parseLegAddress(text);
  return { listen: `${protocol}:${formatHostPort(address, port)}` };
}

/** Takes a {@link LegAddress} apart. Throws a `SipError` (`SIP_BAD_LEG`). */
export function parseLegAddress(text: string): ListenAddress {
  const colon = text.indexOf(":");
  const protocol = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (!isProtocol(protocol)) {
    throw badLeg(text, "it begins with udp:, tcp:, tls:, ws: or wss:, as in udp:127.0.0.1:5060");
  }
  const where = parseHostPort(text.slice(colon + 1));
  if (where === undefined) {
    throw badLeg(
      text,
      "after the protocol come address and port, IPv6 in brackets: tcp:[::1]:5060",
    );
  }
  if (addressFamily(where.host) === 0) {
    throw badLeg(text, "it listens on an IP address; a name for others to use goes into advertise");
  }
  const address = canonicalAddress(where.host);
  return { protocol, address, port: where.port ?? defaultPorts[protocol] };
}

/** Whether a text names a transport protocol, in lower case. */
export function isProtocol(text: string): text is Protocol {
  return Object.hasOwn(defaultPorts, text);
}

function badLeg(text: string, fault: string): SipError {
  return new SipError("SIP_BAD_LEG", `"${text}" is no leg: ${fault}`);
}
