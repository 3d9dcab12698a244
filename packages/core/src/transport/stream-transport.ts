import type { Server, Socket } from "node:net";
import { ByteCarrier } from "./byte-carrier.ts";
import type { Carriers, Destination, PeerProof } from "./carrier.ts";
import { ConnectionTransport } from "./connection-transport.ts";
import type { ListenAddress } from "./leg-address.ts";
import { serverListener } from "./server-listener.ts";
import { streamLimits } from "./stream-limits.ts";
import type { TransportContext } from "./transport-context.ts";

/** What sets one stream protocol apart from another. */
export interface StreamSockets {
  /**
   * A server that hands over each connection that is ready to carry SIP. Where a handshake comes first, `admit` takes the
   * connection below it as it comes, so that the bounds hold for handshakes, too; `false`: it was closed.
   */
  createServer(
    accept: (socket: Socket, proof?: PeerProof) => void,
    admit: (socket: Socket) => boolean,
  ): Server;
  /** Opens a connection; `ready` is called when it can carry SIP. */
  connect(to: Destination, ready: (proof?: PeerProof) => void): Socket;
}

/**
 * SIP over a protocol of byte streams.
 *
 * RFC 3261 §18.3
 */
export class StreamTransport extends ConnectionTransport {
  constructor(listen: ListenAddress, sockets: StreamSockets, context: TransportContext) {
    super(listen, byteCarriers(sockets, streamLimits(context.limits).maxMessage), context);
  }
}

function byteCarriers(sockets: StreamSockets, maxMessage: number): Carriers {
  return {
    listener(door) {
      const server = sockets.createServer(
        (socket, proof) =>
          door.accept(socket, (sink) => new ByteCarrier(socket, sink, maxMessage), proof),
        (socket) => door.admit(socket),
      );
      return serverListener(server, door);
    },
    connect(to, sink) {
      const socket = sockets.connect(to, (proof) => sink.ready(proof));
      return new ByteCarrier(socket, sink, maxMessage);
    },
  };
}
