import type { Handler, Leg, Packet, Peer } from "@sipkit/core";

/** Writes a line for each packet in and each packet out; takes none. */
export class Logger implements Handler {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  receive(packet: Packet, _leg: Leg, { address, port }: Peer): void {
    this.#write(`<- ${address}:${port} ${summary(packet)}`);
  }

  beforeSend(packet: Packet, _leg: Leg, { address, port }: Peer): void {
    this.#write(`-> ${address}:${port} ${summary(packet)}`);
  }
}

function summary(packet: Packet): string {
  const what = packet.isRequest
    ? `${packet.method} ${packet.uri}`
    : `${packet.status} to ${packet.method}`;
  // What strangers send must not drive the terminal: JSON escapes control characters.
  return JSON.stringify(what).slice(1, -1);
}
