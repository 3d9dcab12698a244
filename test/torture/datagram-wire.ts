import { Buffer } from "node:buffer";
import type { Peer, Transport, TransportSink } from "@sipkit/core";

/** A UDP transport whose datagrams the test makes and keeps. */
export class DatagramWire implements Transport {
  readonly protocol = "udp";
  /** What was sent, wherever to, as wire strings. */
  readonly sent: string[] = [];
  readonly #address: string;
  #sink: TransportSink | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  async listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    this.#sink = sink;
    return { address: this.#address, port: 5060 };
  }

  /** Lets a datagram arrive. */
  arrive(bytes: Uint8Array, from: Omit<Peer, "protocol">): void {
    this.#sink?.message(bytes, { protocol: "udp", ...from });
  }

  send(message: string | Uint8Array): void {
    this.sent.push(typeof message === "string" ? message : Buffer.from(message).toString("latin1"));
  }

  async close(): Promise<void> {
    this.#sink = undefined;
  }
}
