import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { WebSocketServer } from "ws";
import type { CarrierSink, Door, PeerProof } from "./carrier.ts";
import type { TlsSettings } from "./tls-settings.ts";
import { WebSocketCarrier } from "./websocket-carrier.ts";
import type { WebSocketModule } from "./websocket-module.ts";
import type { WebSocketOptions } from "./websocket-options.ts";

/** The subprotocol that both sides must name. RFC 7118 §4 */
const SUBPROTOCOL = "sip";

/** How many pieces a message may come in: fragments, and reads of the socket. */
const MAX_FRAGMENTS = 128;
const MAX_CHUNKS = 1_024;

/** What the requests for a WebSocket are judged by. */
export interface UpgradeOptions {
  readonly websocket: WebSocketOptions;
  readonly tls: TlsSettings | undefined;
  readonly maxMessage: number;
}

/**
 * Makes WebSockets of the HTTP requests that ask for one, and refuses the others.
 *
 * RFC 6455 §4.2, RFC 7118 §4
 */
export class WebSocketUpgrades {
  readonly #door: Door;
  readonly #options: UpgradeOptions;
  #wss: WebSocketServer | undefined;

  constructor(door: Door, options: UpgradeOptions) {
    this.#door = door;
    this.#options = options;
  }

  /** Comes before the first request. */
  start({ WebSocketServer }: WebSocketModule): void {
    // Not every version that will do knows each of these bounds, and the types know none.
    const bounds = {
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_CHUNKS,
      maxPendingAutoPongs: 0, // what waits is bounded in bytes
    };
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // A small frame could be inflated to a large message.
      perMessageDeflate: false,
      maxPayload: this.#options.maxMessage,
      handleProtocols: () => SUBPROTOCOL,
      ...bounds,
    });
  }

  /** Whether a request is for this leg, on a server that has other uses. */
  isOurs(request: IncomingMessage): boolean {
    const { path } = this.#options.websocket;
    return path === undefined ? offersSip(request) : pathOf(request) === path;
  }

  /** Takes a connection that `door` has admitted. */
  upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const socket = duplex as Socket; // Node's HTTP servers have no other
    socket.on("error", ignore);
    const status = this.#fault(request, socket);
    if (status === undefined) {
      this.#wss?.handleUpgrade(request, socket, head, (ws) => {
        const open = (sink: CarrierSink): WebSocketCarrier =>
          new WebSocketCarrier(ws, socket, sink, this.#options.maxMessage);
        this.#door.accept(socket, open, this.#proof(socket));
      });
    } else {
      const reason = STATUS_CODES[status];
      socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    }
  }

  /** The status that a request which asks for no WebSocket gets. */
  statusWithoutUpgrade(request: IncomingMessage): 404 | 426 {
    return this.#isOnPath(request) ? 426 : 404;
  }

  #fault(request: IncomingMessage, socket: Socket): number | undefined {
    if (this.#wss === undefined) return 503;
    if (!this.#isOnPath(request)) return 404;
    // RFC 7118 §4.1: who doesn't name the subprotocol speaks something else.
    if (!offersSip(request)) return 400;
    const isProven = this.#proof(socket) !== undefined || !this.#options.tls?.requiresClients;
    return isProven && this.#allows(request) ? undefined : 403;
  }

  #isOnPath(request: IncomingMessage): boolean {
    const { path } = this.#options.websocket;
    return path === undefined || pathOf(request) === path;
  }

  /** A hook that throws, or gives a promise, lets nobody in. */
  #allows(request: IncomingMessage): boolean {
    const { allowOrigin } = this.#options.websocket;
    if (allowOrigin === undefined) return true;
    try {
      return allowOrigin(request.headers.origin, request) === true;
    } catch {
      return false;
    }
  }

  #proof(socket: Socket): PeerProof | undefined {
    return socket instanceof TLSSocket ? this.#options.tls?.proofOf(socket) : undefined;
  }
}

function offersSip({ headers }: IncomingMessage): boolean {
  const offered = headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").some((name) => name.trim() === SUBPROTOCOL);
}

function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "";
}

/** The socket's end follows an error. */
function ignore(): void {}
