import type { Socket } from "node:net";
import type { Peer, Protocol } from "../arrival.ts";
import type { Door, OpenCarrier, PeerProof } from "./carrier.ts";
import type { ConnectionEvent } from "./connection-channel.ts";
import { Handshakes } from "./handshakes.ts";
import { canonicalAddress } from "./host-port.ts";
import type { StreamCounters } from "./stream-counters.ts";
import type { StreamLimits } from "./stream-limits.ts";

/** What a door needs of the transport that it leads into. */
export interface DoorHost {
  readonly protocol: Protocol;
  readonly limits: StreamLimits;
  readonly counted: StreamCounters;
  now(): number;
  trace(what: ConnectionEvent["what"], peer: Peer, why?: string): void;
  /** Takes a place for a connection; `false`: there is none. */
  reserve(peer: Peer): boolean;
  /** Gives back the place of one that never came in. */
  release(address: string): void;
  /** A connection is in: it has its place and can carry SIP. */
  entered(peer: Peer, open: OpenCarrier, proof: PeerProof | undefined): void;
}

/** Lets connections into a transport, those with a handshake before them when that is done. */
export class ConnectionDoor implements Door {
  readonly #host: DoorHost;
  readonly #handshakes: Handshakes;
  #closed = false;

  constructor(host: DoorHost) {
    this.#host = host;
    this.#handshakes = new Handshakes((address, port) => {
      host.release(address);
      host.counted.failedHandshakes += 1;
      host.trace("failed", { protocol: host.protocol, address, port }, "no handshake");
    });
  }

  admit(socket: Socket): boolean {
    const peer = this.#peerOf(socket);
    if (!this.#letsIn(socket, peer)) return false;
    this.#handshakes.begin(socket, peer.address, peer.port, this.#host.now());
    return true;
  }

  accept(socket: Socket, open: OpenCarrier, proof?: PeerProof): void {
    const peer = this.#peerOf(socket);
    const isAdmitted = peer !== undefined && this.#handshakes.finish(peer.address, peer.port);
    if (isAdmitted || this.#letsIn(socket, peer)) this.#host.entered(peer, open, proof);
  }

  acceptFailed(): void {
    this.#host.counted.acceptErrors += 1;
  }

  /** Closes what has taken too long for its handshake. */
  checkDeadlines(now: number): void {
    this.#handshakes.closeSince(now - this.#host.limits.connectTimeout);
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#closed = true;
    this.#handshakes.closeSince(Number.POSITIVE_INFINITY);
  }

  /** Takes a place for what comes in, or destroys its socket. */
  #letsIn(socket: Socket, peer: Peer | undefined): peer is Peer {
    // Without an address it was closed before it was accepted.
    const hasPlace = peer !== undefined && !this.#closed && this.#host.reserve(peer);
    if (!hasPlace) socket.destroy();
    return hasPlace;
  }

  #peerOf({ remoteAddress, remotePort }: Socket): Peer | undefined {
    if (remoteAddress === undefined || remotePort === undefined) return undefined;
    // A server of the caller's may take IPv4 on an IPv6 socket: `::ffff:192.0.2.1` is the host 192.0.2.1.
    const address = canonicalAddress(remoteAddress);
    return { protocol: this.#host.protocol, address, port: remotePort };
  }
}
