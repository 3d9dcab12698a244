import { SipError } from "../errors.ts";
import { type LegAddress, parseLegAddress } from "./leg-address.ts";
import { tcpTransport } from "./tcp.ts";
import { tlsTransport } from "./tls.ts";
import type { TlsOptions } from "./tls-options.ts";
import { TlsSettings } from "./tls-settings.ts";
import type { Transport } from "./transport.ts";
import type { TransportContext } from "./transport-context.ts";
import { UdpTransport } from "./udp.ts";

/**
 * Makes the transport of a leg's address; it doesn't listen yet. Throws a `SipError`: `SIP_BAD_LEG`, or
 * `SIP_NO_TRANSPORT` for a protocol that isn't there.
 */
export function createTransport(
  listen: LegAddress,
  tls: TlsOptions | undefined,
  context: TransportContext,
): Transport {
  const where = parseLegAddress(listen);
  switch (where.protocol) {
    case "udp":
      return new UdpTransport(where);
    case "tcp":
      return tcpTransport(where, context);
    case "tls":
      return tlsTransport(where, new TlsSettings(tls), context);
    case "ws":
    case "wss":
      throw new SipError(
        "SIP_NO_TRANSPORT",
        `${where.protocol} legs need a transport that is not available yet: give one as listen`,
      );
  }
}
