import { createServer, type Server } from "node:net";
import { connect, createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { ListenAddress } from "./leg-address.ts";
import { type StreamSockets, StreamTransport } from "./stream-transport.ts";
import type { TlsSettings } from "./tls-settings.ts";
import type { TransportContext } from "./transport-context.ts";

type Accept = Parameters<StreamSockets["createServer"]>[0];
type Admit = Parameters<StreamSockets["createServer"]>[1];

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
      createServer: (accept, admit) => createTlsListener(settings, accept, admit),
      connect: (to, ready) => {
        const socket = connect(settings.connectOptions(to), () => ready(settings.proofOf(socket)));
        return socket.setNoDelay(true);
      },
    },
    context,
  );
}

/** A server whose connections are counted as they come, before anything is spent on their handshakes. */
function createTlsListener(settings: TlsSettings, accept: Accept, admit: Admit): Server {
  const handshakes = createTlsServer(settings.serverOptions());
  settings.follow(handshakes);
  handshakes.on("secureConnection", (socket) => acceptSecure(socket, settings, accept));
  return createServer({ noDelay: true }, (socket) => {
    if (admit(socket)) handshakes.emit("connection", socket);
  });
}

/** Hands over a connection whose handshake is done. */
function acceptSecure(socket: TLSSocket, settings: TlsSettings, accept: Accept): void {
  const proof = settings.proofOf(socket);
  if (proof === undefined && settings.requiresClients) socket.destroy();
  else accept(socket, proof);
}
