import { isIP } from "node:net";
import type { Peer, Protocol } from "../arrival.ts";
import type { Timer } from "../clock.ts";
import type { ParseError, TransportError } from "../errors.ts";
import type { Carriers, Listener, OpenCarrier, PeerProof } from "./carrier.ts";
import { type ConnectionOwner, StreamConnection } from "./connection.ts";
import { type ConnectionEvent, connectionChannel } from "./connection-channel.ts";
import { ConnectionDoor, type DoorHost } from "./connection-door.ts";
import { ConnectionQuota } from "./connection-quota.ts";
import { ConnectionTable } from "./connection-table.ts";
import { isWildcard } from "./host-port.ts";
import type { ListenAddress } from "./leg-address.ts";
import { type StreamCounters, streamCounters } from "./stream-counters.ts";
import { type StreamLimits, streamLimits } from "./stream-limits.ts";
import type { Transport, TransportSink } from "./transport.ts";
import type { TransportContext } from "./transport-context.ts";
import { listenError, sendError } from "./transport-errors.ts";

/** How often deadlines are looked at, in milliseconds: one timer for all connections. */
const SWEEP = 1_000;
const TOO_MANY = "too many connections";

/**
 * SIP over connections from one address. One connection carries both sides' messages: what is sent to an address and
 * port goes over the live connection with it, whoever opened that.
 *
 * RFC 3261 §18.1.1, §18.2.2, §18.3
 */
export class ConnectionTransport implements Transport, ConnectionOwner, DoorHost {
  readonly protocol: Protocol;
  readonly limits: StreamLimits;
  readonly counted: StreamCounters = streamCounters();
  readonly #carriers: Carriers;
  readonly #context: TransportContext;
  readonly #listener: Listener;
  readonly #table: ConnectionTable;
  readonly #quota: ConnectionQuota;
  readonly #door: ConnectionDoor;
  #listen: ListenAddress;
  #sink: TransportSink | undefined;
  #sweep: Timer | undefined;
  #dirty: StreamConnection[] = [];
  #allGone: (() => void) | undefined;
  #closed = false;
  /** Settles when the listener is gone. */
  #unlistening: Promise<void> | undefined;
  readonly #flush = (): void => {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) connection.flush();
  };

  constructor(listen: ListenAddress, carriers: Carriers, context: TransportContext) {
    this.protocol = listen.protocol;
    this.limits = streamLimits(context.limits);
    this.#listen = listen;
    this.#carriers = carriers;
    this.#context = context;
    this.#table = new ConnectionTable(listen.protocol === "tls" || listen.protocol === "wss");
    this.#quota = new ConnectionQuota(this.limits);
    this.#door = new ConnectionDoor(this);
    this.#listener = carriers.listener(this.#door);
  }

  async listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    await this.#carriers.prepare?.();
    this.#sink = sink;
    const { protocol } = this.#listen;
    try {
      const { address, port } = await this.#listener.listen(this.#listen);
      this.#listen = { protocol, address, port };
    } catch (cause) {
      throw listenError(this.#listen, cause);
    }
    return this.#listen;
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
    return { connections: this.#quota.taken };
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.counted };
  }

  stopListening(): void {
    this.#unlistening ??= this.#listener.close();
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.stopListening();
    this.#door.close();
    const connections = new Promise<void>((resolve) => {
      this.#allGone = resolve;
      for (const connection of this.#table) connection.close();
      if (this.#table.size === 0) resolve();
    });
    return Promise.all([this.#unlistening, connections]).then(() => this.#sweep?.cancel());
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

  trace(what: ConnectionEvent["what"], peer: Peer, why?: string): void {
    if (!connectionChannel.hasSubscribers) return;
    const { clock, node = "" } = this.#context;
    connectionChannel.publish({ at: clock.now(), node, what, peer, id: peer.connection?.id, why });
  }

  ended(connection: StreamConnection): void {
    this.#table.end(connection);
    process.nextTick(() => this.#sink?.closed(connection));
  }

  gone(connection: StreamConnection): void {
    this.#table.remove(connection);
    this.release(connection.peer.address);
    if (this.#table.size === 0) this.#allGone?.();
  }

  dirty(connection: StreamConnection): void {
    if (this.#dirty.length === 0) process.nextTick(this.#flush);
    this.#dirty.push(connection);
  }

  reserve(peer: Peer): boolean {
    if (!this.#quota.take(peer.address)) {
      this.counted.connectionsRefused += 1;
      this.trace("refused", peer, TOO_MANY);
      return false;
    }
    this.#sweep ??= this.#setSweep();
    return true;
  }

  release(address: string): void {
    this.#quota.free(address);
  }

  entered({ address, port }: Peer, open: OpenCarrier, proof: PeerProof | undefined): void {
    this.counted.accepted += 1;
    const id = this.#context.ids();
    const about = { id, address, port, accepted: true, proof };
    const connection = new StreamConnection(this, open, about);
    this.#table.add(connection);
    this.trace("accepted", connection.peer);
  }

  /** The connection to a peer: one that is alive, else a new one. */
  #reach(to: Peer): StreamConnection | TransportError {
    const live = this.#table.to(to);
    if (live !== undefined) return live;
    if (this.#closed) return this.#error(to, "the leg is closed");
    if (this.#sink === undefined) return this.#error(to, "the leg doesn't listen yet");
    if (isIP(to.address) === 0 || !(to.port > 0 && to.port < 65_536)) {
      return this.#error(to, "that is no address and port");
    }
    return this.reserve(to) ? this.#dial(to) : this.#error(to, TOO_MANY);
  }

  #dial({ address, port, domain }: Peer): StreamConnection {
    this.counted.dialled += 1;
    const { address: local } = this.#listen;
    const destination = {
      host: address,
      port,
      // The other side sees the address that our Via names.
      ...(isWildcard(local) ? {} : { localAddress: local }),
      ...(domain === undefined ? {} : { domain }),
    };
    const open: OpenCarrier = (sink) => this.#carriers.connect(destination, sink);
    const about = { id: this.#context.ids(), address, port, accepted: false, domain };
    const connection = new StreamConnection(this, open, about);
    this.#table.add(connection);
    this.trace("dialled", connection.peer);
    return connection;
  }

  #setSweep(): Timer {
    return this.#context.clock.setTimer(SWEEP, () => {
      const now = this.now();
      this.#sweep = undefined;
      this.#door.checkDeadlines(now);
      for (const connection of this.#table) connection.checkDeadlines(now);
      if (this.#quota.taken > 0) this.#sweep ??= this.#setSweep();
    });
  }

  #error(to: Peer, reason: string): TransportError {
    return sendError(this.protocol, to, reason);
  }
}
