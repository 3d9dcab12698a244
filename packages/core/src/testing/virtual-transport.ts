import { Buffer } from "node:buffer";
import type { Connection, Peer, Protocol } from "../arrival.ts";
import type { Clock } from "../clock.ts";
import { TransportError } from "../errors.ts";
import { formatHostPort } from "../transport/host-port.ts";
import type { ListenAddress } from "../transport/leg-address.ts";
import type { Transport, TransportSink } from "../transport/transport.ts";
import type { Fabric } from "./fabric.ts";
import { type EndOwner, VirtualConnection } from "./virtual-connection.ts";
import type { VirtualMessage } from "./virtual-message.ts";

/** A transport on a `VirtualNetwork`: datagrams for udp, connections for everything else. */
export class VirtualTransport implements Transport {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly #fabric: Fabric;
  readonly #clock: Clock;
  readonly #connections = new Map<number, VirtualConnection>();
  readonly #owner: EndOwner;
  #sink: TransportSink | undefined;
  #isDead = false;

  /** `clock` is the host's. */
  constructor(fabric: Fabric, { protocol, address, port }: ListenAddress, clock: Clock) {
    this.#fabric = fabric;
    this.#clock = clock;
    this.protocol = protocol;
    this.address = address;
    this.port = port === 0 ? fabric.nextPort() : port;
    this.#owner = {
      clock,
      arrived: (wire, end) => this.#arrive(wire, end.peer),
      failed: (error, to) => this.#fail(error, to),
      ended: (end) => this.#ended(end),
    };
  }

  async listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    const { protocol, address, port } = this;
    // What a crashed host still does has no effect.
    if (!this.#isDead && !this.#fabric.attach(this)) {
      throw new TransportError(`${protocol}:${formatHostPort(address, port)} is taken`, {
        code: "SIP_LISTEN",
      });
    }
    this.#sink = sink;
    return { address, port };
  }

  send(message: string | Uint8Array, to: Peer): void {
    if (this.#isDead) return;
    const wire = typeof message === "string" ? message : Buffer.from(message).toString("latin1");
    if (this.protocol === "udp") this.#sendDatagram(wire, to);
    else this.#sendOver(wire, to);
  }

  connected(connection: number): Peer | undefined {
    return this.#connections.get(connection)?.peer;
  }

  reach(to: Peer): Peer {
    if (this.protocol === "udp" || to.connection !== undefined || this.#isDead) return to;
    return (this.#find(to) ?? this.#dial(to)).peer;
  }

  stats(): Readonly<Record<string, number>> {
    return { connections: this.#connections.size };
  }

  stopListening(): void {
    if (this.protocol !== "udp") this.#fabric.detach(this);
  }

  async close(): Promise<void> {
    this.#fabric.detach(this);
    for (const connection of [...this.#connections.values()]) connection.close();
    this.#sink = undefined;
  }

  /** Ends a connection at both ends at once. Default: all of them. */
  cut(connection?: Connection): void {
    const ends =
      connection === undefined
        ? [...this.#connections.values()]
        : [this.#connections.get(connection.id)];
    for (const end of ends) end?.cut();
  }

  /** Its host crashed: it stops at once and tells nobody. */
  crash(): void {
    this.#isDead = true;
    this.#sink = undefined;
    this.#fabric.detach(this);
    for (const connection of this.#connections.values()) connection.crash();
    this.#connections.clear();
  }

  #sendDatagram(wire: string, to: Peer): void {
    const { protocol, address, port } = this;
    const message = this.#record(wire, to);
    this.#fabric.links.datagram(message, address, to.address, () => {
      const there = this.#fabric.listener("udp", to.address, to.port);
      if (there === undefined) return false;
      there.#arrive(wire, { protocol, address, port });
      return true;
    });
  }

  #sendOver(wire: string, to: Peer): void {
    const end =
      to.connection === undefined
        ? (this.#find(to) ?? this.#dial(to))
        : this.#connections.get(to.connection.id);
    const message = this.#record(wire, end?.peer ?? to);
    if (end !== undefined) end.send(message, to);
    else {
      message.become("lost");
      this.#fail(new TransportError("the connection is closed"), to);
    }
  }

  #find(to: Peer): VirtualConnection | undefined {
    for (const end of this.#connections.values()) {
      if (end.peer.address === to.address && end.peer.port === to.port) return end;
    }
    return undefined;
  }

  #dial(to: Peer): VirtualConnection {
    const { protocol, address } = this;
    const remote = { protocol, address: to.address, port: to.port };
    const port = this.#fabric.nextPort();
    const near = this.#open(remote);
    near.dial(() => {
      const there = this.#fabric.listener(protocol, to.address, to.port);
      return there === undefined ? undefined : there.#open({ protocol, address, port }, near);
    });
    return near;
  }

  #open(remote: Omit<Peer, "connection">, dialler?: VirtualConnection): VirtualConnection {
    const { clock, links } = this.#fabric;
    const end = new VirtualConnection({
      id: this.#fabric.nextConnection(),
      owner: this.#owner,
      links,
      clock,
      local: this.address,
      remote,
      ...(dialler && { dialler }),
    });
    this.#connections.set(end.id, end);
    return end;
  }

  #record(wire: string, to: Peer): VirtualMessage {
    const from = formatHostPort(this.address, this.port);
    return this.#fabric.record(this.protocol, from, formatHostPort(to.address, to.port), wire);
  }

  #arrive(wire: string, from: Peer): void {
    this.#sink?.message(Buffer.from(wire, "latin1"), from);
  }

  /** Once `send` has returned, so that its caller is never called back from within. */
  #fail(error: TransportError, to: Peer): void {
    this.#clock.setTimer(0, () => this.#sink?.failed(error, to));
  }

  #ended(end: VirtualConnection): void {
    this.#connections.delete(end.id);
    this.#clock.setTimer(0, () => this.#sink?.closed(end));
  }
}
