import { type Packet, type PacketEvent, packetChannel, parsePacket } from "@sipkit/core";

/** A message that went from one actor to another. */
export interface Passage {
  readonly from: string;
  /** Empty until it arrives. */
  to: string;
  /** A method or a status. */
  readonly what: string;
  /** As it was sent. */
  readonly sent: Packet;
}

interface Waiter {
  readonly holds: () => boolean;
  readonly resolve: () => void;
}

/**
 * Writes down who sent what to whom, in the order in which it was sent. It listens on `sipkit:packet`, which tells the same for
 * every transport: what one dispatcher sends is what another then receives, with the same topmost Via.
 */
export class Recorder {
  readonly #actors: ReadonlyMap<string, string>;
  readonly #ignores: (from: string, packet: Packet) => boolean;
  readonly #listener: (event: PacketEvent) => void;
  readonly #waiters = new Set<Waiter>();
  #passages: (Passage & { readonly key: string })[] = [];

  /**
   * @param actors by the `node` of their dispatcher
   * @param ignores what is not written down
   */
  constructor(
    actors: ReadonlyMap<string, string>,
    ignores: (from: string, packet: Packet) => boolean,
  ) {
    this.#actors = actors;
    this.#ignores = ignores;
    this.#listener = (event) => this.#note(event);
    packetChannel.subscribe(this.#listener);
  }

  get passages(): readonly Passage[] {
    return this.#passages;
  }

  /** Settles when a condition holds; it is asked after each message. */
  when(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (holds()) resolve();
      else this.#waiters.add({ holds, resolve });
    });
  }

  clear(): void {
    this.#passages = [];
  }

  close(): void {
    packetChannel.unsubscribe(this.#listener);
  }

  #note({ node, direction, packet }: PacketEvent): void {
    const actor = this.#actors.get(node);
    if (actor === undefined) return;
    const key = keyOf(packet);
    if (direction === "in") {
      const passage = this.#passages.find((each) => each.to === "" && each.key === key);
      if (passage !== undefined) passage.to = actor;
    } else if (!this.#ignores(actor, packet)) {
      const what = packet.isRequest ? packet.method : `${packet.status}`;
      // A copy: what is published is the dispatcher's own.
      const sent = parsePacket(packet.toWire());
      this.#passages.push({ from: actor, to: "", what, sent, key });
    }
    for (const waiter of this.#waiters) {
      if (!waiter.holds()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}

/** The same for a message when it is sent and when it arrives, and another on each of its hops. */
function keyOf(packet: Packet): string {
  const { number, method } = packet.cseq;
  const what = packet.isRequest ? packet.method : packet.status;
  const hops = packet.headers.getAll("via").length;
  return `${what} ${number} ${method} ${packet.callId} ${packet.branch} ${hops}`;
}
