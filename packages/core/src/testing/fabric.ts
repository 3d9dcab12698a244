import type { Protocol } from "../arrival.ts";
import { formatHostPort } from "../transport/host-port.ts";
import type { Links } from "./links.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import { VirtualMessage } from "./virtual-message.ts";
import type { VirtualTransport } from "./virtual-transport.ts";

/** The ports that are given to those who ask for none. */
const FIRST_EPHEMERAL_PORT = 49_152;
const EPHEMERAL_PORTS = 16_384;

/** What all transports of one network share. */
export class Fabric {
  readonly clock: VirtualClock;
  readonly links: Links;
  readonly log: VirtualMessage[] = [];
  readonly #listeners = new Map<string, VirtualTransport>();
  #connections = 0;
  #ports = 0;

  constructor(clock: VirtualClock, links: Links) {
    this.clock = clock;
    this.links = links;
  }

  /** `false`: somebody listens there already. */
  attach(transport: VirtualTransport): boolean {
    const key = listenerKey(transport.protocol, transport.address, transport.port);
    if (this.#listeners.has(key)) return false;
    this.#listeners.set(key, transport);
    return true;
  }

  detach(transport: VirtualTransport): void {
    const key = listenerKey(transport.protocol, transport.address, transport.port);
    if (this.#listeners.get(key) === transport) this.#listeners.delete(key);
  }

  listener(protocol: Protocol, address: string, port: number): VirtualTransport | undefined {
    return this.#listeners.get(listenerKey(protocol, address, port));
  }

  nextConnection(): number {
    this.#connections += 1;
    return this.#connections;
  }

  nextPort(): number {
    this.#ports += 1;
    return FIRST_EPHEMERAL_PORT + (this.#ports % EPHEMERAL_PORTS);
  }

  record(protocol: Protocol, from: string, to: string, wire: string): VirtualMessage {
    const message = new VirtualMessage({ at: this.clock.now(), protocol, from, to, wire });
    this.log.push(message);
    return message;
  }
}

function listenerKey(protocol: Protocol, address: string, port: number): string {
  return `${protocol}:${formatHostPort(address, port)}`;
}
