import { Socket as DatagramSocket } from "node:dgram";
import { Server as HttpServer } from "node:http";
import { Server as HttpsServer } from "node:https";
import { Server } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { Protocol } from "../arrival.ts";
import { SipError } from "../errors.ts";
import { type LegOptions, type ListenAddress, parseLegAddress } from "./leg-address.ts";
import { checkReusePort } from "./reuse-port.ts";
import { tcpTransport } from "./tcp.ts";
import { tlsTransport } from "./tls.ts";
import { TlsSettings } from "./tls-settings.ts";
import type { Transport } from "./transport.ts";
import type { TransportContext } from "./transport-context.ts";
import { UdpTransport } from "./udp.ts";
import { webSocketTransport } from "./websocket.ts";

/** A leg's transport, and what its certificates are replaced by where we made its server. */
export interface MadeTransport {
  readonly transport: Transport;
  readonly settings?: TlsSettings;
}

/**
 * Makes the transport of a leg; it doesn't listen yet. Throws a `SipError`: `SIP_BAD_LEG`, `SIP_BAD_OPTION`,
 * `SIP_NO_REUSE_PORT`.
 */
export function createTransport(options: LegOptions, context: TransportContext): MadeTransport {
  const { listen, reusePort = false } = options;
  if (reusePort) checkReusePort();
  if (typeof listen === "string") {
    return onAddress({ ...parseLegAddress(listen), reusePort }, options, context);
  }
  if (reusePort) {
    throw new SipError("SIP_BAD_LEG", "reusePort is for whoever makes the socket: give an address");
  }
  const settings = (): TlsSettings => TlsSettings.ofClient(options.tls);
  if (listen instanceof DatagramSocket) {
    return { transport: new UdpTransport(whereverItIs("udp"), { socket: listen, context }) };
  }
  if (listen instanceof HttpsServer) {
    const how = { websocket: options.websocket, tls: settings() };
    return { transport: webSocketTransport(whereverItIs("wss"), how, context, listen) };
  }
  if (listen instanceof HttpServer) {
    const how = { websocket: options.websocket };
    return { transport: webSocketTransport(whereverItIs("ws"), how, context, listen) };
  }
  if (listen instanceof TlsServer) {
    return { transport: tlsTransport(whereverItIs("tls"), settings(), context, listen) };
  }
  if (listen instanceof Server) {
    return { transport: tcpTransport(whereverItIs("tcp"), context, listen) };
  }
  return { transport: listen };
}

/**
 * SIP over UDP from an address, for a transport of yours that stands before it and looks at what comes first. Throws a
 * `SipError`: `SIP_BAD_LEG`, `SIP_NO_REUSE_PORT`.
 */
export function udpTransport(
  listen: `udp:${string}`,
  { reusePort = false }: Pick<LegOptions, "reusePort"> = {},
): Transport {
  if (reusePort) checkReusePort();
  return new UdpTransport({ ...parseLegAddress(listen), reusePort });
}

function onAddress(
  where: ListenAddress,
  { tls, websocket }: LegOptions,
  context: TransportContext,
): MadeTransport {
  switch (where.protocol) {
    case "udp":
      return { transport: new UdpTransport(where) };
    case "tcp":
      return { transport: tcpTransport(where, context) };
    case "tls": {
      const settings = new TlsSettings(tls);
      return { transport: tlsTransport(where, settings, context), settings };
    }
    case "ws":
      return { transport: webSocketTransport(where, { websocket }, context) };
    case "wss": {
      const settings = new TlsSettings(tls);
      return {
        transport: webSocketTransport(where, { websocket, tls: settings }, context),
        settings,
      };
    }
  }
}

/** Where a socket or server of the caller's listens is known when it does. */
function whereverItIs(protocol: Protocol): ListenAddress {
  return { protocol, address: "", port: 0 };
}
