import type { Connection, Peer, Protocol } from "../arrival.ts";
import { TransportError } from "../errors.ts";
import { formatHostPort } from "../transport/host-port.ts";
import type { ListenAddress } from "../transport/leg-address.ts";
import type { Transport, TransportSink } from "../transport/transport.ts";
import type { MemoryNetwork } from "./memory-network.ts";

/** One end of a connection in memory. */
class MemoryConnection implements Connection {
  readonly id: number;
  readonly peer: Peer;
  other: MemoryConnection | undefined;
  readonly owner: MemoryTransport;
  open = true;

  constructor(id: number, owner: MemoryTransport, remote: Omit<Peer, "connection">) {
    this.id = id;
    this.owner = owner;
    this.peer = { ...remote, connection: this };
  }
}

const FIRST_EPHEMERAL_PORT = 49_152;

/** A transport on a {@link MemoryNetwork}: datagrams for udp, connections for everything else. */
export class MemoryTransport implements Transport {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly #network: MemoryNetwork;
  readonly #connections = new Map<number, MemoryConnection>();
  #sink: TransportSink | undefined;

  constructor(network: MemoryNetwork, { protocol, address, port }: ListenAddress) {
    this.#network = network;
    this.protocol = protocol;
    this.address = address;
    this.port = port;
  }

  async listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    if (!this.#network.attach(this)) {
      throw new TransportError(`${this.protocol}:${this.address}:${this.port} is taken`, {
        code: "SIP_LISTEN",
      });
    }
    this.#sink = sink;
    return { address: this.address, port: this.port };
  }

  send(message: string | Uint8Array, to: Peer): void {
    const wire = typeof message === "string" ? message : Buffer.from(message).toString("latin1");
    if (this.protocol === "udp") this.#sendDatagram(wire, to);
    else this.#sendOver(to, wire);
  }

  connected(connection: number): Peer | undefined {
    return this.#connections.get(connection)?.peer;
  }

  reach(to: Peer): Peer {
    if (this.protocol === "udp" || to.connection !== undefined) return to;
    return (this.#find(to) ?? this.#dial(to))?.peer ?? to;
  }

  stats(): Readonly<Record<string, number>> {
    return { connections: this.#connections.size };
  }

  async close(): Promise<void> {
    this.#network.detach(this);
    for (const connection of [...this.#connections.values()]) this.cut(connection);
    this.#sink = undefined;
  }

  /** Ends a connection at both ends, as a lost network does. Default: all of them. */
  cut(connection?: Connection): void {
    const ends =
      connection === undefined
        ? [...this.#connections.values()]
        : [this.#connections.get(connection.id)];
    for (const end of ends) {
      if (end === undefined) continue;
      end.owner.#drop(end);
      if (end.other !== undefined) end.other.owner.#drop(end.other);
    }
  }

  #sendDatagram(wire: string, to: Peer): void {
    const { protocol, address, port } = this;
    this.#carry(wire, to, () => {
      const there = this.#network.listener("udp", to.address, to.port);
      if (there !== undefined) there.#arrive(wire, { protocol, address, port });
    });
  }

  #sendOver(to: Peer, wire: string): void {
    const end =
      to.connection === undefined
        ? (this.#find(to) ?? this.#dial(to))
        : this.#connections.get(to.connection.id);
    if (end?.other === undefined) {
      this.#network.clock.setTimer(0, () => {
        this.#sink?.failed(new TransportError("nobody is reached"), to);
      });
      return;
    }
    const { other } = end;
    this.#carry(wire, end.peer, () => {
      if (other.open) other.owner.#arrive(wire, other.peer);
    });
  }

  #find(to: Peer): MemoryConnection | undefined {
    for (const end of this.#connections.values()) {
      if (end.peer.address === to.address && end.peer.port === to.port) return end;
    }
    return undefined;
  }

  #dial(to: Peer): MemoryConnection | undefined {
    const there = this.#network.listener(this.protocol, to.address, to.port);
    if (there === undefined) return undefined;
    const { protocol, address } = this;
    const near = new MemoryConnection(this.#network.nextConnection(), this, {
      protocol,
      address: to.address,
      port: to.port,
    });
    const id = this.#network.nextConnection();
    const far = new MemoryConnection(id, there, {
      protocol,
      address,
      port: FIRST_EPHEMERAL_PORT + id,
    });
    near.other = far;
    far.other = near;
    this.#connections.set(near.id, near);
    there.#connections.set(far.id, far);
    return near;
  }

  #carry(wire: string, to: Peer, arrive: () => void): void {
    const from = formatHostPort(this.address, this.port);
    this.#network.carry(
      { protocol: this.protocol, from, to: formatHostPort(to.address, to.port), wire },
      arrive,
    );
  }

  #arrive(wire: string, from: Peer): void {
    this.#sink?.message(Buffer.from(wire, "latin1"), from);
  }

  #drop(end: MemoryConnection): void {
    if (!end.open) return;
    end.open = false;
    this.#connections.delete(end.id);
    this.#sink?.closed(end);
  }
}
