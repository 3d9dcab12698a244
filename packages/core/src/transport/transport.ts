import type { Connection, Peer, Protocol } from "../arrival.ts";
import type { ParseError, SipError } from "../errors.ts";

/** What a transport tells: all calls are synchronous, one a message. */
export interface TransportSink {
  /** One whole message as it came: a datagram, or a frame cut out of a stream. The bytes are the sink's to keep. */
  message(bytes: Uint8Array, from: Peer): void;
  /**
   * A stream that can't be cut into messages any more (no Content-Length, a bound passed). `head` is what was read of
   * the message at fault, so that the sink can answer with `error.status`; the connection is closed afterwards.
   */
  malformed(error: ParseError, head: Uint8Array, from: Peer): void;
  /** What was sent to `to` did not get out: `to` is the very object that `send` was given. */
  failed(error: SipError, to: Peer): void;
  /** A connection ended, whoever closed it. */
  closed(connection: Connection): void;
}

/**
 * Moves bytes over one protocol from one local address. An in-memory network, a recorder or a protocol of your own is
 * another implementation.
 */
export interface Transport {
  readonly protocol: Protocol;
  /** Starts to listen and tells the real address and port. Rejects with a `TransportError`. */
  listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }>;
  /**
   * Sends one message: bytes, or a wire string (one character a byte, as `message.toWire()` gives). Never throws and
   * never waits: what fails, now or later, is told by `failed`. A peer with a connection is reached over that one or
   * not at all; a stream peer without one over a live connection to its address and port, else over a new one.
   */
  send(message: string | Uint8Array, to: Peer): void;
  /** The live connection of that number, as a peer; `undefined` for datagrams and when it is gone. */
  connected?(connection: number): Peer | undefined;
  /**
   * The peer that `send` would reach for `to`: with the live connection to its address and port, else with a new one
   * that is being opened, so that whoever sends to it learns from `closed` that it is lost. `to` itself for datagrams,
   * for a peer that has a connection, and when no connection can be opened.
   */
  reach?(to: Peer): Peer;
  /** How much is alive here, for `dispatcher.stats()`: all zero when nothing is. */
  stats?(): Readonly<Record<string, number>>;
  /** How often things happened here, for `dispatcher.counters()`. */
  counters?(): Readonly<Record<string, number>>;
  /** Takes no new connections any more; those that are there, those that are opened here and datagrams go on. */
  stopListening?(): void;
  /** Stops listening at once, sends what is buffered, then closes every connection. */
  close(): Promise<void>;
}
