import type * as Ws from "ws";
import { TransportError } from "../errors.ts";

/** What is used of the `ws` package. */
export type WebSocketModule = Pick<typeof Ws, "WebSocket" | "WebSocketServer">;

/**
 * Loads the `ws` package, which only those need who have a ws or wss leg. Rejects with a `TransportError` (`SIP_NO_WS`)
 * where it is not installed.
 */
export async function loadWebSockets(
  load: () => Promise<WebSocketModule> = () => import("ws"),
): Promise<WebSocketModule> {
  try {
    return await load();
  } catch (cause) {
    throw new TransportError("ws and wss legs need the ws package: npm install ws", {
      cause,
      code: "SIP_NO_WS",
    });
  }
}
