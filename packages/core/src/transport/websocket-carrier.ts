import { isUtf8 } from "node:buffer";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Carrier, CarrierSink } from "./carrier.ts";
import { StreamFramer } from "./stream-framer.ts";
import { FrameMeter } from "./websocket-frames.ts";

/** Status codes of a close frame. RFC 6455 §7.4.1 */
const GOING_AWAY = 1001;
const PROTOCOL_ERROR = 1002;

const TEXT = { binary: false };
const BINARY = { binary: true };

/**
 * Carries messages in WebSocket messages, one in each.
 *
 * RFC 7118 §5
 */
export class WebSocketCarrier implements Carrier {
  readonly #ws: WebSocket;
  /** What the WebSocket runs over. */
  readonly #socket: Socket;
  readonly #sink: CarrierSink;
  readonly #framer: StreamFramer;
  readonly #meter: FrameMeter = new FrameMeter();
  /** What was sent before the WebSocket was open. */
  #early: string[] = [];
  #earlyLength = 0;
  #corked = false;

  constructor(ws: WebSocket, socket: Socket, sink: CarrierSink, maxMessage: number) {
    this.#ws = ws;
    this.#socket = socket;
    this.#sink = sink;
    this.#framer = new StreamFramer(sink, maxMessage);
    // Messages come as one Buffer: the binaryType "nodebuffer" is the default.
    ws.on("message", (data: Buffer) => this.#framer.frame(data));
    ws.on("error", (error) => this.#fail(error));
    socket.on("end", () => sink.ended());
    socket.on("error", (error) => sink.ended(error));
    socket.on("close", () => sink.gone());
    if (ws.readyState === ws.OPEN) this.#follow();
    else ws.on("open", () => this.#open());
  }

  get partial(): boolean {
    return this.#meter.partial;
  }

  get waiting(): number {
    return this.#earlyLength + this.#ws.bufferedAmount;
  }

  send(text: string): void {
    if (this.#ws.readyState === this.#ws.CONNECTING) {
      this.#early.push(text);
      this.#earlyLength += text.length;
      return;
    }
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
    }
    const bytes = Buffer.from(text, "latin1");
    // RFC 7118 §5: what is not UTF-8 throughout goes into a binary message.
    this.#ws.send(bytes, isUtf8(bytes) ? TEXT : BINARY);
  }

  flush(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
  }

  stop(): void {
    this.#framer.stop();
    this.#early = [];
    this.#earlyLength = 0;
    this.flush(); // or the close frame would wait, too
  }

  end(fault: boolean): void {
    this.#ws.close(fault ? PROTOCOL_ERROR : GOING_AWAY);
  }

  destroy(): void {
    this.#ws.terminate();
    this.#socket.destroy();
  }

  #open(): void {
    this.#follow();
    const early = this.#early;
    this.#early = [];
    this.#earlyLength = 0;
    for (const text of early) this.send(text);
    this.flush();
  }

  /** Watches what comes: before the WebSocket takes it, and after. */
  #follow(): void {
    this.#socket.prependListener("data", (chunk: Buffer) => {
      const others = this.#meter.push(chunk);
      if (others > 0) this.#sink.overhead(others);
    });
    this.#socket.on("data", () => {
      this.#sink.read();
      // The other side closes: what is sent now would not arrive.
      if (this.#ws.readyState !== this.#ws.OPEN) this.#sink.ended();
    });
  }

  #fail(error: Error & { readonly code?: string }): void {
    if (error.code?.startsWith("WS_ERR_")) this.#sink.broken(error);
    else this.#sink.ended(error);
  }
}
