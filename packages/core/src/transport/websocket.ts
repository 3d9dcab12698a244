import type { Server } from "node:http";
import { SipError } from "../errors.ts";
import { ConnectionTransport } from "./connection-transport.ts";
import type { ListenAddress } from "./leg-address.ts";
import { streamLimits } from "./stream-limits.ts";
import type { TlsSettings } from "./tls-settings.ts";
import type { TransportContext } from "./transport-context.ts";
import { connectWebSocket } from "./websocket-client.ts";
import { adoptedWebSockets, ownWebSockets } from "./websocket-listener.ts";
import { loadWebSockets, type WebSocketModule } from "./websocket-module.ts";
import type { WebSocketOptions } from "./websocket-options.ts";
import { WebSocketUpgrades } from "./websocket-upgrades.ts";

/** What a ws or wss leg needs besides its address. */
export interface WebSocketSettings {
  readonly websocket?: WebSocketOptions | undefined;
  /** A wss leg needs it. */
  readonly tls?: TlsSettings | undefined;
}

/**
 * SIP over WebSocket from one address, or from the one of a server that the caller made. Throws a `SipError`
 * (`SIP_BAD_OPTION`) for a path that is none.
 *
 * RFC 7118
 */
export function webSocketTransport(
  listen: ListenAddress,
  { websocket = {}, tls }: WebSocketSettings,
  context: TransportContext,
  adopted?: Server,
): ConnectionTransport {
  const { path } = websocket;
  if (path !== undefined && !/^\/[!-"$->@-~]*$/.test(path)) {
    throw new SipError("SIP_BAD_OPTION", "websocket.path must be a URL's path, as in /sip");
  }
  const { maxMessage } = streamLimits(context.limits);
  let modules: WebSocketModule | undefined;
  let upgrades: WebSocketUpgrades | undefined;
  return new ConnectionTransport(
    listen,
    {
      async prepare() {
        modules = await loadWebSockets();
        upgrades?.start(modules);
      },
      listener(door) {
        upgrades = new WebSocketUpgrades(door, { websocket, tls, maxMessage });
        return adopted === undefined
          ? ownWebSockets(upgrades, door, tls)
          : adoptedWebSockets(upgrades, door, adopted, context.clock);
      },
      connect(to, sink) {
        if (modules === undefined) throw new Error("nothing is sent before prepare is done");
        return connectWebSocket(modules, to, { path: path ?? "/", tls, maxMessage }, sink);
      },
    },
    context,
  );
}
