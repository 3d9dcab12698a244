import { createServer } from "node:net";
import { connect, createServer as createTlsServer, type Server, type TLSSocket } from "node:tls";
import { adoptedListener } from "./adopted-listener.ts";
import type { Listener } from "./carrier.ts";
import type { ListenAddress } from "./leg-address.ts";
import { serverListener } from "./server-listener.ts";
import { type StreamDoor, StreamTransport } from "./stream-transport.ts";
import type { TlsSettings } from "./tls-settings.ts";
import type { TransportContext } from "./transport-context.ts";

/**
 * SIP over TLS from one address, or from the one of a server that the caller made.
 *
 * RFC 3261 §26.2.1, RFC 5922 §7
 */
export function tlsTransport(
  listen: ListenAddress,
  settings: TlsSettings,
  context: TransportContext,
  adopted?: Server,
): StreamTransport {
  return new StreamTransport(
    listen,
    {
      listener: (door) =>
        adopted === undefined
          ? tlsListener(settings, door)
          : adoptedListener(adopted, context.clock, {
              connection: (socket) => door.admit(socket.setNoDelay(true)),
              secureConnection: (socket) => acceptSecure(socket, settings, door),
              error: () => door.acceptFailed(),
            }),
      connect: (to, ready) => {
        const socket = connect(settings.connectOptions(to), () => ready(settings.proofOf(socket)));
        return socket.setNoDelay(true);
      },
    },
    context,
  );
}

/** Takes a place for each connection as it comes, before anything is spent on its handshake. */
function tlsListener(settings: TlsSettings, door: StreamDoor): Listener {
  const handshakes = createTlsServer(settings.serverOptions());
  settings.follow(handshakes);
  handshakes.on("secureConnection", (socket) => acceptSecure(socket, settings, door));
  const server = createServer({ noDelay: true }, (socket) => {
    if (door.admit(socket)) handshakes.emit("connection", socket);
  });
  return serverListener(server, door);
}

/** Hands over a connection whose handshake is done. */
function acceptSecure(socket: TLSSocket, settings: TlsSettings, door: StreamDoor): void {
  const proof = settings.proofOf(socket);
  if (proof === undefined && settings.requiresClients) socket.destroy();
  else door.accept(socket, proof);
}
