import type { Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../clock.ts";
import type { Listener } from "./carrier.ts";

/** How long a socket or server of the caller's may take until it listens: milliseconds. */
const LISTENS_WITHIN = 10_000;

/** What is listened to on a server of the caller's, from `listen` to `close`. */
interface Listeners {
  readonly connection?: (socket: Socket) => void;
  readonly secureConnection?: (socket: TLSSocket) => void;
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly error: () => void;
}

/** Listens with a server that the caller made: he starts it, and closes it when the leg is closed. */
export function adoptedListener(server: Server, clock: Clock, listeners: Listeners): Listener {
  const all = Object.entries(listeners);
  return {
    async listen() {
      await untilListening(server, server.listening, clock);
      const bound = server.address();
      if (bound === null || typeof bound === "string") {
        throw new Error("the server given as listen has no address and port");
      }
      for (const [event, listener] of all) server.on(event, listener);
      return bound;
    },
    async close() {
      for (const [event, listener] of all) server.off(event, listener);
    },
  };
}

/** Waits until the caller has a socket or server of his listen. Rejects with its error, or when he takes too long. */
export async function untilListening(
  socket: Server | DatagramSocket,
  isListening: boolean,
  clock: Clock,
): Promise<void> {
  if (isListening) return;
  const tooLong = new AbortController();
  const timer = clock.setTimer(LISTENS_WITHIN, () => tooLong.abort());
  try {
    await once(socket, "listening", { signal: tooLong.signal });
  } catch (error) {
    if (!tooLong.signal.aborted) throw error;
    throw new Error("what was given as listen doesn't listen: whoever made it starts it");
  } finally {
    timer.cancel();
  }
}
