import { connect, createServer } from "node:net";
import type { ListenAddress } from "./leg-address.ts";
import { StreamTransport } from "./stream-transport.ts";
import type { TransportContext } from "./transport-context.ts";

/**
 * SIP over TCP from one address.
 *
 * RFC 3261 §18
 */
export function tcpTransport(listen: ListenAddress, context: TransportContext): StreamTransport {
  return new StreamTransport(
    listen,
    {
      createServer: (accept) => createServer({ noDelay: true }, (socket) => accept(socket)),
      connect: (to, ready) => connect({ ...to, noDelay: true }, ready),
    },
    context,
  );
}
