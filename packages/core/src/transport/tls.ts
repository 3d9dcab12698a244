import { createServer, type Server, type Socket } from "node:net";
import { connect, createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import type { ListenAddress } from "./leg-address.ts";
import { type Accept, StreamTransport } from "./stream-transport.ts";
import type { TlsSettings } from "./tls-settings.ts";
import type { TransportContext } from "./transport-context.ts";

/**
 * SIP over TLS from one address.
 *
 * RFC 3261 §26.2.1, RFC 5922 §7
 */
export function tlsTransport(
  listen: ListenAddress,
  settings: TlsSettings,
  context: TransportContext,
): StreamTransport {
  return new StreamTransport(
    listen,
    {
      createServer: (accept) => createTlsListener(settings, accept),
      connect: (to, ready) => {
        const socket = connect(settings.connectOptions(to), () => ready(settings.proofOf(socket)));
        return socket.setNoDelay(true);
      },
    },
    context,
  );
}

/**
 * A server whose connections are counted as they come, before anything is spent on their handshakes.
 */
function createTlsListener(settings: TlsSettings, accept: Accept): Server {
  const handshakes = createTlsServer(settings.serverOptions());
  settings.follow(handshakes);
  acceptTls(handshakes, settings, accept);
  return createServer({ noDelay: true }, (socket: Socket) => {
    if (accept.arrived(socket)) handshakes.emit("connection", socket);
  });
}

/** Hands over each connection whose handshake is done. */
function acceptTls(server: TlsServer, settings: TlsSettings, accept: Accept): void {
  server.on("secureConnection", (socket) => {
    const proof = settings.proofOf(socket);
    if (proof === undefined && settings.requiresClients) {
      accept.failed();
      socket.destroy();
      return;
    }
    accept.ready(socket, proof);
  });
  server.on("tlsClientError", () => accept.failed());
}
