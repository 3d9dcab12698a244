import type { Socket } from "node:net";
import { ByteCarrier } from "./byte-carrier.ts";
import type { Carriers, Endpoint, Listener, PeerProof } from "./carrier.ts";
import { ConnectionTransport } from "./connection-transport.ts";
import type { ListenAddress } from "./leg-address.ts";
import { streamLimits } from "./stream-limits.ts";
import type { TransportContext } from "./transport-context.ts";

/** What sets one stream protocol apart from another. */
export interface StreamSockets {
  listener(door: StreamDoor): Listener;
  /** Opens a connection; `ready` is called when it can carry SIP. */
  connect(to: Endpoint, ready: (proof?: PeerProof) => void): Socket;
}

/** Where connections come in that carry SIP in a stream of bytes. See `Door`. */
export interface StreamDoor {
  admit(socket: Socket): boolean;
  accept(socket: Socket, proof?: PeerProof): void;
  acceptFailed(): void;
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
      return sockets.listener({
        admit: (socket) => door.admit(socket),
        accept: (socket, proof) =>
          door.accept(socket, (sink) => new ByteCarrier(socket, sink, maxMessage), proof),
        acceptFailed: () => door.acceptFailed(),
      });
    },
    connect(to, sink) {
      const socket = sockets.connect(to, (proof) => sink.ready(proof));
      return new ByteCarrier(socket, sink, maxMessage);
    },
  };
}
