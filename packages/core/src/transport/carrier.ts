import type { Socket } from "node:net";
import type { ListenAddress } from "./leg-address.ts";
import type { FrameSink } from "./stream-framer.ts";

/** Where a connection is opened to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
  /** See `Peer.domain`. */
  readonly domain?: string;
}

/** What a handshake proved of the other side: see `Connection`. */
export interface PeerProof {
  readonly authorized: boolean;
  readonly identities: readonly string[];
}

/** What lies under a connection: cuts what comes into messages, and carries those that go. */
export interface Carrier {
  /** Whether a message has begun and isn't whole. */
  readonly partial: boolean;
  /** How many bytes wait to go out. */
  readonly waiting: number;
  /** Takes one message. */
  send(text: string): void;
  /** Hands over what `send` took since the last time, in one write where it can. */
  flush(): void;
  /** Tells of no more messages. */
  stop(): void;
  /** Says to the other side that it ends, after what was sent; `fault`: because of what came. */
  end(fault: boolean): void;
  /** Ends at once, whatever is left. */
  destroy(): void;
}

/** Whom a carrier tells, synchronously and in order, but never from within a call of its own. */
export interface CarrierSink extends FrameSink {
  /** What was being opened can carry messages. */
  ready(proof?: PeerProof): void;
  /** Bytes came, and what they completed was told. */
  read(): void;
  /** So many frames came that are no whole message: control frames, fragments, keep-alives that want no answer. */
  overhead(frames: number): void;
  /** What came breaks the protocol below SIP; the other side was told. */
  broken(error: Error): void;
  /** The other side sends no more. */
  ended(error?: Error): void;
  /** The socket is gone. */
  gone(): void;
}

/** Makes the carrier of a connection. */
export type OpenCarrier = (sink: CarrierSink) => Carrier;

/** Lets connections in, within the bounds of their transport. */
export interface Door {
  /**
   * Takes a place for a connection that has a handshake before it, until `accept` or until its socket closes, which is
   * counted as a failed handshake. `false`: there is no place, and the socket was destroyed.
   */
  admit(socket: Socket): boolean;
  /** Takes a connection that is ready to carry SIP. */
  accept(socket: Socket, open: OpenCarrier, proof?: PeerProof): void;
  /** The server failed to accept one. */
  acceptFailed(): void;
}

/** Where connections come in. */
export interface Listener {
  /** Rejects with the system's error. */
  listen(where: ListenAddress): Promise<{ readonly address: string; readonly port: number }>;
  /** Takes no more; resolves when those that it took are gone. */
  close(): Promise<void>;
}

/** What sets one connection-oriented protocol apart from another. */
export interface Carriers {
  /** Loads what both sides need, before there is a connection. */
  prepare?(): Promise<void>;
  listener(door: Door): Listener;
  /** Opens a connection. */
  connect(to: Endpoint, sink: CarrierSink): Carrier;
}
