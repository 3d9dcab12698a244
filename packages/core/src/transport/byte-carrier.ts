import type { Socket } from "node:net";
import type { Carrier, CarrierSink } from "./carrier.ts";
import { StreamFramer } from "./stream-framer.ts";

/** Carries messages one after the other in a stream of bytes: TCP, TLS. RFC 3261 §18.3 */
export class ByteCarrier implements Carrier {
  readonly #socket: Socket;
  readonly #framer: StreamFramer;
  /** What was sent in this turn of the event loop, as one wire string: one system call instead of one a message. */
  #outgoing = "";

  constructor(socket: Socket, sink: CarrierSink, maxMessage: number) {
    this.#socket = socket;
    const framer = new StreamFramer(sink, maxMessage);
    this.#framer = framer;
    socket.on("data", (chunk: Buffer) => {
      framer.push(chunk);
      sink.read();
    });
    socket.on("end", () => sink.ended());
    socket.on("error", (error) => sink.ended(error));
    socket.on("close", () => sink.gone());
  }

  get partial(): boolean {
    return this.#framer.partial;
  }

  get waiting(): number {
    return this.#outgoing.length + this.#socket.writableLength;
  }

  send(text: string): void {
    this.#outgoing += text;
  }

  flush(): void {
    const text = this.#outgoing;
    if (text === "") return;
    this.#outgoing = "";
    this.#socket.write(text, "latin1");
  }

  stop(): void {
    this.#framer.stop();
    this.#outgoing = "";
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
