import type { Protocol } from "../arrival.ts";
import type { Clock } from "../clock.ts";
import { formatHostPort } from "../transport/host-port.ts";
import { type LegAddress, parseLegAddress } from "../transport/leg-address.ts";
import { MemoryTransport } from "./memory-transport.ts";

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  /** How long every message takes, in milliseconds. Default: 1. */
  readonly latency?: number;
  /** Asked for every datagram: `true` loses it. Default: none is lost. */
  readonly loses?: (wire: string) => boolean;
}

/** One message on its way, as `MemoryNetwork.log` keeps it. */
export interface MemoryMessage {
  readonly at: number;
  readonly protocol: Protocol;
  readonly from: string;
  readonly to: string;
  readonly wire: string;
}

/**
 * A network in memory on which several dispatchers talk: give each leg a transport of it as `listen`, and move the
 * clock.
 *
 * @example
 * const clock = new VirtualClock();
 * const network = new MemoryNetwork({ clock });
 * const server = new Dispatcher({ clock, legs: [{ listen: network.transport("udp:192.0.2.1:5060") }] });
 */
export class MemoryNetwork {
  readonly clock: Clock;
  /** Every message that was sent, in order; lost ones too. */
  readonly log: MemoryMessage[] = [];
  readonly #latency: number;
  readonly #loses: (wire: string) => boolean;
  readonly #listeners = new Map<string, MemoryTransport>();
  #connections = 0;

  constructor({ clock, latency = 1, loses = () => false }: MemoryNetworkOptions) {
    this.clock = clock;
    this.#latency = latency;
    this.#loses = loses;
  }

  /** A transport that listens on this network; it can be reached once its leg listens. */
  transport(address: LegAddress): MemoryTransport {
    return new MemoryTransport(this, parseLegAddress(address));
  }

  /** @internal */
  attach(transport: MemoryTransport): boolean {
    const key = listenerKey(transport.protocol, transport.address, transport.port);
    if (this.#listeners.has(key)) return false;
    this.#listeners.set(key, transport);
    return true;
  }

  /** @internal */
  detach(transport: MemoryTransport): void {
    this.#listeners.delete(listenerKey(transport.protocol, transport.address, transport.port));
  }

  /** @internal */
  listener(protocol: Protocol, address: string, port: number): MemoryTransport | undefined {
    return this.#listeners.get(listenerKey(protocol, address, port));
  }

  /** @internal */
  nextConnection(): number {
    this.#connections += 1;
    return this.#connections;
  }

  /** @internal */
  carry(message: Omit<MemoryMessage, "at">, arrive: () => void): void {
    this.log.push({ at: this.clock.now(), ...message });
    if (message.protocol === "udp" && this.#loses(message.wire)) return;
    this.clock.setTimer(this.#latency, arrive);
  }
}

function listenerKey(protocol: Protocol, address: string, port: number): string {
  return `${protocol}:${formatHostPort(address, port)}`;
}
