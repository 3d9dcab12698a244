import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";
import { adoptedListener } from "./adopted-listener.ts";
import type { Door, Listener } from "./carrier.ts";
import { serverListener } from "./server-listener.ts";
import type { TlsSettings } from "./tls-settings.ts";
import type { WebSocketUpgrades } from "./websocket-upgrades.ts";

/** Listens for WebSockets with a server of our own, whose connections are counted before their handshakes. */
export function ownWebSockets(
  upgrades: WebSocketUpgrades,
  door: Door,
  tls: TlsSettings | undefined,
): Listener {
  const http = tls === undefined ? createHttpServer() : createHttpsServer(tls.serverOptions());
  if (tls !== undefined && "setSecureContext" in http) tls.follow(http);
  http.on("upgrade", (request, socket, head) => upgrades.upgrade(request, socket, head));
  http.on("request", (request, response) => {
    const status = upgrades.statusWithoutUpgrade(request);
    const upgrade = status === 426 ? { Upgrade: "websocket" } : {};
    response.writeHead(status, { ...upgrade, Connection: "close", "Content-Length": 0 }).end();
  });
  const server = createServer({ noDelay: true }, (socket) => {
    if (door.admit(socket)) http.emit("connection", socket);
  });
  return serverListener(server, door);
}

/** Takes WebSockets from a server that somebody else made. What else comes to it is left alone. */
export function adoptedWebSockets(
  upgrades: WebSocketUpgrades,
  door: Door,
  server: Server,
  clock: Clock,
): Listener {
  return adoptedListener(server, clock, {
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer) {
      // Another listener's; where there is none it is ours to refuse.
      if (!upgrades.isOurs(request) && server.listenerCount("upgrade") > 1) return;
      if (door.admit(socket as Socket)) upgrades.upgrade(request, socket, head);
    },
    error: () => door.acceptFailed(),
  });
}
