import { connect, createServer, type Server } from "node:net";
import { adoptedListener } from "./adopted-listener.ts";
import type { ListenAddress } from "./leg-address.ts";
import { serverListener } from "./server-listener.ts";
import { StreamTransport } from "./stream-transport.ts";
import type { TransportContext } from "./transport-context.ts";

/**
 * SIP over TCP from one address, or from the one of a server that the caller made.
 *
 * RFC 3261 §18
 */
export function tcpTransport(
  listen: ListenAddress,
  context: TransportContext,
  adopted?: Server,
): StreamTransport {
  return new StreamTransport(
    listen,
    {
      listener: (door) =>
        adopted === undefined
          ? serverListener(
              createServer({ noDelay: true }, (socket) => door.accept(socket)),
              door,
            )
          : adoptedListener(adopted, context.clock, {
              connection: (socket) => door.accept(socket.setNoDelay(true)),
              error: () => door.acceptFailed(),
            }),
      connect: (to, ready) => connect({ ...to, noDelay: true }, ready),
    },
    context,
  );
}
