import type { Peer, Transport, TransportSink } from "@sipkit/core";
import { ownerOf, type Stray } from "./stray.ts";

export interface HandOverOptions {
  readonly machine: string;
  /** The worker that this is. */
  readonly worker: number;
  /** How many there are. */
  readonly workers: number;
  /** Which of the shared legs this is. */
  readonly leg: number;
  /** Hands a datagram to another worker; whether there was room for it. */
  readonly pass: (stray: Stray) => boolean;
}

/**
 * UDP of a port that workers share. When one of them comes or goes, the kernel deals many phones' datagrams to others
 * than before. What begins something new any worker can take; what belongs to something that another one has begun, this
 * one hands over, as it came and with where it came from.
 */
export class HandOver implements Transport {
  readonly protocol = "udp" as const;
  readonly #transport: Transport;
  readonly #options: HandOverOptions;
  #sink: TransportSink | undefined;
  #handedOver = 0;
  #dropped = 0;

  constructor(transport: Transport, options: HandOverOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    this.#sink = sink;
    return this.#transport.listen({
      message: (bytes, from) => this.#receive(sink, bytes, from),
      malformed: (error, head, from) => sink.malformed(error, head, from),
      failed: (error, to) => sink.failed(error, to),
      closed: (connection) => sink.closed(connection),
    });
  }

  /** Takes what another worker got in this one's place. */
  take({ bytes, address, port }: Stray): void {
    this.#sink?.message(bytes, { protocol: "udp", address, port });
  }

  send(message: string | Uint8Array, to: Peer): void {
    this.#transport.send(message, to);
  }

  counters(): Readonly<Record<string, number>> {
    const own = { strays: this.#handedOver, straysDropped: this.#dropped };
    return { ...this.#transport.counters?.(), ...own };
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #receive(sink: TransportSink, bytes: Uint8Array, from: Peer): void {
    const { machine, worker, workers, leg, pass } = this.#options;
    const to = ownerOf(bytes, machine);
    // One that is there no more, since there are fewer now, has left what is its own to whoever gets it.
    if (to === undefined || to === worker || to >= workers) {
      sink.message(bytes, from);
      return;
    }
    const { address, port } = from;
    if (pass({ to, leg, bytes, address, port })) this.#handedOver += 1;
    else this.#dropped += 1;
  }
}
