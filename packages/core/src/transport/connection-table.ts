import type { StreamConnection } from "./connection.ts";
import { formatHostPort } from "./host-port.ts";
import type { StreamLimits } from "./stream-limits.ts";

/** The connections of one stream transport: found by number and by remote address, and counted against their bounds. */
export class ConnectionTable implements Iterable<StreamConnection> {
  readonly #limits: StreamLimits;
  readonly #byId = new Map<number, StreamConnection>();
  /** Only those that can be sent to; of two with one address and port the younger. */
  readonly #byRemote = new Map<string, StreamConnection>();
  readonly #perBlock = new Map<string, number>();

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  /** How many there are, those included that are about to close. */
  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): IterableIterator<StreamConnection> {
    return this.#byId.values();
  }

  byId(id: number): StreamConnection | undefined {
    return this.#byId.get(id);
  }

  byRemote(address: string, port: number): StreamConnection | undefined {
    return this.#byRemote.get(formatHostPort(address, port));
  }

  /** Whether one more connection with that address is within the bounds. */
  hasRoom(address: string): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    if (this.#byId.size >= maxConnections) return false;
    return (this.#perBlock.get(addressBlock(address)) ?? 0) < maxConnectionsPerAddress;
  }

  add(connection: StreamConnection): void {
    const { address, port } = connection.peer;
    const block = addressBlock(address);
    this.#byId.set(connection.id, connection);
    this.#byRemote.set(formatHostPort(address, port), connection);
    this.#perBlock.set(block, (this.#perBlock.get(block) ?? 0) + 1);
  }

  /** It is not sent to any more, but still counts. */
  end(connection: StreamConnection): void {
    const { address, port } = connection.peer;
    const key = formatHostPort(address, port);
    if (this.#byRemote.get(key) === connection) this.#byRemote.delete(key);
  }

  remove(connection: StreamConnection): void {
    if (!this.#byId.delete(connection.id)) return;
    this.end(connection);
    const block = addressBlock(connection.peer.address);
    const left = (this.#perBlock.get(block) ?? 1) - 1;
    if (left > 0) this.#perBlock.set(block, left);
    else this.#perBlock.delete(block);
  }
}

/** What one host has at its disposal: an IPv4 address, or the /64 of an IPv6 address as its four groups. */
export function addressBlock(address: string): string {
  if (!address.includes(":")) return address;
  const [front = "", back] = address.split("::", 2);
  const groups = front === "" ? [] : front.split(":");
  if (back !== undefined) {
    const tail = back === "" ? [] : back.split(":");
    // An IPv4 address at the end stands for two groups.
    const width = tail.length + (back.includes(".") ? 1 : 0);
    while (groups.length + width < 8) groups.push("0");
    groups.push(...tail);
  }
  return groups.slice(0, 4).join(":");
}
