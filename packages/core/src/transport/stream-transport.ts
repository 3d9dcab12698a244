import { isIP, type Server, type Socket } from "node:net";
import type { Peer, Protocol } from "../arrival.ts";
import type { Timer } from "../clock.ts";
import { type ParseError, TransportError } from "../errors.ts";
import {
  type ConnectionOwner,
  type PeerProof,
  StreamConnection,
  type StreamCounters,
} from "./connection.ts";
import { ConnectionTable } from "./connection-table.ts";
import { formatHostPort, isWildcard } from "./host-port.ts";
import type { ListenAddress } from "./leg-address.ts";
import { type StreamLimits, streamLimits } from "./stream-limits.ts";
import type { Transport, TransportSink } from "./transport.ts";
import type { TransportContext } from "./transport-context.ts";

/** What sets one stream protocol apart from another. */
export interface StreamSockets {
  /** A server that hands over each connection that is ready to carry SIP. */
  createServer(accept: (socket: Socket, proof?: PeerProof) => void): Server;
  /** Opens a connection; `ready` is called when it can carry SIP. */
  connect(to: Destination, ready: (proof?: PeerProof) => void): Socket;
}

/** Where a connection is opened to. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
  /** See `Peer.domain`. */
  readonly domain?: string;
}

/** How often deadlines are looked at, in milliseconds: one timer for all connections. */
const SWEEP = 1_000;

/**
 * SIP over a stream protocol from one address. One connection carries both sides' messages: what is sent to an address
 * and port goes over the live connection with it, whoever opened that.
 *
 * RFC 3261 §18.1.1, §18.2.2, §18.3
 */
export class StreamTransport implements Transport, ConnectionOwner {
  readonly protocol: Protocol;
  readonly limits: StreamLimits;
  readonly counted: StreamCounters = {
    accepted: 0,
    dialled: 0,
    connectionsRefused: 0,
    connectFailures: 0,
    acceptErrors: 0,
    keepAlives: 0,
    unframeableStreams: 0,
    slowReaders: 0,
    silentConnections: 0,
    idleConnections: 0,
  };
  readonly #listen: ListenAddress;
  readonly #sockets: StreamSockets;
  readonly #context: TransportContext;
  readonly #server: Server;
  readonly #table: ConnectionTable;
  #sink: TransportSink | undefined;
  #sweep: Timer | undefined;
  #dirty: StreamConnection[] = [];
  #allGone: (() => void) | undefined;
  #closed = false;
  readonly #flush = (): void => {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) connection.flush();
  };

  constructor(listen: ListenAddress, sockets: StreamSockets, context: TransportContext) {
    this.protocol = listen.protocol;
    this.limits = streamLimits(context.limits);
    this.#listen = listen;
    this.#sockets = sockets;
    this.#context = context;
    this.#table = new ConnectionTable(this.limits);
    this.#server = sockets.createServer((socket, proof) => this.#accept(socket, proof));
  }

  listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    const { protocol, address, port } = this.#listen;
    const server = this.#server;
    this.#sink = sink;
    return new Promise((resolve, reject) => {
      const refuse = (cause: Error): void => {
        const where = formatHostPort(address, port);
        reject(
          new TransportError(`cannot listen on ${protocol}:${where}: ${cause.message}`, {
            cause,
            code: "SIP_LISTEN",
          }),
        );
      };
      server.once("error", refuse);
      server.listen({ host: address, port, ipv6Only: isIP(address) === 6, exclusive: true }, () => {
        server.off("error", refuse);
        server.on("error", () => {
          this.counted.acceptErrors += 1;
        });
        const bound = server.address();
        resolve(typeof bound === "object" && bound !== null ? bound : { address, port });
      });
    });
  }

  send(message: string | Uint8Array, to: Peer): void {
    const found =
      to.connection === undefined ? this.#reach(to) : this.#table.byId(to.connection.id);
    if (found instanceof StreamConnection) found.send(message, to);
    else this.failed(found ?? this.#error(to, "the connection is closed"), to);
  }

  reach(to: Peer): Peer {
    const found = to.connection === undefined ? this.#reach(to) : undefined;
    return found instanceof StreamConnection ? found.peer : to;
  }

  connected(connection: number): Peer | undefined {
    const found = this.#table.byId(connection);
    return found?.open ? found.peer : undefined;
  }

  stats(): Readonly<Record<string, number>> {
    return { connections: this.#table.size };
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.counted };
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    const server = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const connections = new Promise<void>((resolve) => {
      this.#allGone = resolve;
      for (const connection of this.#table) connection.close();
      if (this.#table.size === 0) resolve();
    });
    return Promise.all([server, connections]).then(() => this.#sweep?.cancel());
  }

  now(): number {
    return this.#context.clock.now();
  }

  message(bytes: Uint8Array, connection: StreamConnection): void {
    this.#sink?.message(bytes, connection.peer);
  }

  malformed(error: ParseError, head: Uint8Array, connection: StreamConnection): void {
    this.#sink?.malformed(error, head, connection.peer);
  }

  /** Tells of it once `send` has returned, so that its caller is never called back from within. */
  failed(error: TransportError, to: Peer): void {
    process.nextTick(() => this.#sink?.failed(error, to));
  }

  ended(connection: StreamConnection): void {
    this.#table.end(connection);
    process.nextTick(() => this.#sink?.closed(connection));
  }

  gone(connection: StreamConnection): void {
    this.#table.remove(connection);
    if (this.#table.size === 0) this.#allGone?.();
  }

  dirty(connection: StreamConnection): void {
    if (this.#dirty.length === 0) process.nextTick(this.#flush);
    this.#dirty.push(connection);
  }

  #accept(socket: Socket, proof: PeerProof | undefined): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined || this.#closed) {
      socket.destroy(); // it was closed before it was accepted
      return;
    }
    if (!this.#table.hasRoom(remoteAddress)) {
      this.counted.connectionsRefused += 1;
      socket.destroy();
      return;
    }
    this.counted.accepted += 1;
    this.#add(
      new StreamConnection(this, socket, {
        id: this.#context.ids(),
        address: remoteAddress,
        port: remotePort,
        accepted: true,
        ...(proof && { proof }),
      }),
    );
  }

  /** The connection to a peer: one that is alive, else a new one. */
  #reach(to: Peer): StreamConnection | TransportError {
    const live = this.#table.byRemote(to.address, to.port);
    if (live !== undefined) return live;
    if (this.#closed) return this.#error(to, "the leg is closed");
    if (isIP(to.address) === 0 || !(to.port > 0 && to.port < 65_536)) {
      return this.#error(to, "that is no address and port");
    }
    if (!this.#table.hasRoom(to.address)) {
      this.counted.connectionsRefused += 1;
      return this.#error(to, "too many connections");
    }
    return this.#dial(to);
  }

  #dial(to: Peer): StreamConnection {
    this.counted.dialled += 1;
    const { address: local } = this.#listen;
    const socket = this.#sockets.connect(
      {
        host: to.address,
        port: to.port,
        // The other side sees the address that our Via names.
        ...(isWildcard(local) ? {} : { localAddress: local }),
        ...(to.domain === undefined ? {} : { domain: to.domain }),
      },
      (proof) => connection.connected(proof),
    );
    const connection = new StreamConnection(this, socket, {
      id: this.#context.ids(),
      address: to.address,
      port: to.port,
      accepted: false,
    });
    this.#add(connection);
    return connection;
  }

  #add(connection: StreamConnection): void {
    this.#table.add(connection);
    this.#sweep ??= this.#context.clock.setTimer(SWEEP, () => this.#checkDeadlines());
  }

  #checkDeadlines(): void {
    const now = this.now();
    for (const connection of this.#table) connection.checkDeadlines(now);
    this.#sweep =
      this.#table.size === 0
        ? undefined
        : this.#context.clock.setTimer(SWEEP, () => this.#checkDeadlines());
  }

  #error(to: Peer, reason: string): TransportError {
    return new TransportError(
      `${this.protocol} to ${formatHostPort(to.address, to.port)}: ${reason}`,
    );
  }
}
