import type { Socket } from "node:net";
import type { Connection, Peer, Protocol } from "../arrival.ts";
import { type ParseError, TransportError } from "../errors.ts";
import { formatHostPort } from "./host-port.ts";
import { StreamFramer } from "./stream-framer.ts";
import type { StreamLimits } from "./stream-limits.ts";

/** What a connection tells the transport that it belongs to. */
export interface ConnectionOwner {
  readonly protocol: Protocol;
  readonly limits: StreamLimits;
  readonly counted: StreamCounters;
  now(): number;
  message(bytes: Uint8Array, connection: StreamConnection): void;
  malformed(error: ParseError, head: Uint8Array, connection: StreamConnection): void;
  failed(error: TransportError, to: Peer): void;
  /** Nothing more is read from it or sent to it. */
  ended(connection: StreamConnection): void;
  /** Its socket is gone. */
  gone(connection: StreamConnection): void;
  /** It has something to write: `flush` it before the next turn of the event loop. */
  dirty(connection: StreamConnection): void;
}

/** What happens to connections and is worth counting, since the process began. */
export interface StreamCounters {
  accepted: number;
  dialled: number;
  /** Over a bound: closed as they came, or not opened. */
  connectionsRefused: number;
  connectFailures: number;
  acceptErrors: number;
  keepAlives: number;
  /** Could not be cut into messages any more. */
  unframeableStreams: number;
  slowReaders: number;
  /** Sent no whole message in time. */
  silentConnections: number;
  idleConnections: number;
}

/** What a handshake proved of the other side: see `Connection`. */
export interface PeerProof {
  readonly authorized: boolean;
  readonly identities: readonly string[];
}

/** How long the other side has to take what we sent last and to close its half: milliseconds. */
const LINGER = 2_000;

type State = "connecting" | "open" | "lingering" | "gone";

/** One stream connection, whoever opened it. */
export class StreamConnection implements Connection {
  readonly id: number;
  readonly peer: Peer;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #framer: StreamFramer;
  readonly #accepted: boolean;
  #proof: PeerProof | undefined;
  #state: State;
  /** When the state began, the last bytes came, and the last were sent. */
  #since: number;
  #lastRead: number;
  #lastWrite: number;
  #silent = true;
  /** What was sent in this turn of the event loop, as one wire string: one system call instead of one a message. */
  #outgoing = "";
  /** Whom to tell when the connection that is being opened fails. */
  #waiting: Peer[] = [];

  constructor(
    owner: ConnectionOwner,
    socket: Socket,
    about: {
      readonly id: number;
      readonly address: string;
      readonly port: number;
      readonly accepted: boolean;
      readonly proof?: PeerProof;
    },
  ) {
    this.id = about.id;
    this.peer = {
      protocol: owner.protocol,
      address: about.address,
      port: about.port,
      connection: this,
    };
    this.#owner = owner;
    this.#socket = socket;
    this.#accepted = about.accepted;
    this.#proof = about.proof;
    this.#state = about.accepted ? "open" : "connecting";
    this.#since = owner.now();
    this.#lastRead = this.#since;
    this.#lastWrite = this.#since;
    this.#framer = new StreamFramer(
      {
        message: (bytes) => {
          this.#silent = false;
          owner.message(bytes, this);
        },
        ping: () => {
          owner.counted.keepAlives += 1;
          this.#write("\r\n");
        },
        malformed: (error, head) => {
          owner.counted.unframeableStreams += 1;
          owner.malformed(error, head, this);
          this.close();
        },
      },
      owner.limits.maxMessage,
    );
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("end", () => this.#end());
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#gone());
  }

  get authorized(): boolean {
    return this.#proof?.authorized ?? false;
  }

  get identities(): readonly string[] | undefined {
    return this.#proof?.identities;
  }

  get open(): boolean {
    return this.#state === "connecting" || this.#state === "open";
  }

  /** The connection that was being opened is there. */
  connected(proof?: PeerProof): void {
    if (this.#state !== "connecting") return;
    this.#proof = proof;
    this.#state = "open";
    this.#waiting = [];
  }

  /** Sends one message; what was sent before the connection was there fails with it. */
  send(message: string | Uint8Array, to: Peer): void {
    if (!this.open) {
      this.#owner.failed(this.#error("the connection is closed"), to);
      return;
    }
    if (this.#state === "connecting") this.#waiting.push(to);
    this.#write(typeof message === "string" ? message : latin1Of(message));
  }

  /** Hands what was sent to the socket. */
  flush(): void {
    const text = this.#outgoing;
    if (text === "") return;
    this.#outgoing = "";
    this.#lastWrite = this.#owner.now();
    this.#socket.write(text, "latin1");
  }

  /** Sends what is left, then closes; the other side has a moment to do the same. */
  close(): void {
    if (!this.open) return;
    if (this.#state === "connecting") {
      this.destroy("closed before it was there");
      return;
    }
    this.flush();
    this.#state = "lingering";
    this.#since = this.#owner.now();
    this.#framer.stop();
    this.#socket.end();
    this.#owner.ended(this);
  }

  /** Closes at once, whatever is left. */
  destroy(why: string): void {
    this.#end(new Error(why));
    this.#socket.destroy();
  }

  /** Closes what has taken too long for what it is doing. */
  checkDeadlines(now: number): void {
    const { limits } = this.#owner;
    if (this.#state === "connecting") {
      if (now - this.#since >= limits.connectTimeout) this.destroy("no answer in time");
    } else if (this.#state === "lingering") {
      if (now - this.#since >= LINGER) this.#socket.destroy();
    } else if (this.#framer.partial && now - this.#lastRead >= limits.betweenBytesTimeout) {
      this.#owner.counted.silentConnections += 1;
      this.close();
    } else if (this.#accepted && this.#silent && now - this.#since >= limits.firstMessageTimeout) {
      this.#owner.counted.silentConnections += 1;
      this.close();
    } else if (now - Math.max(this.#lastRead, this.#lastWrite) >= limits.idleTimeout) {
      this.#owner.counted.idleConnections += 1;
      this.close();
    }
  }

  #read(chunk: Buffer): void {
    this.#lastRead = this.#owner.now();
    this.#framer.push(chunk);
  }

  #write(text: string): void {
    if (!this.open) return;
    if (this.#outgoing === "") this.#owner.dirty(this);
    this.#outgoing += text;
    if (this.#outgoing.length + this.#socket.writableLength > this.#owner.limits.maxBuffered) {
      this.#owner.counted.slowReaders += 1;
      this.destroy("it reads too slowly");
    }
  }

  /** Either side is through: nothing more is read or sent. */
  #end(error?: Error): void {
    if (!this.open) return;
    const connecting = this.#state === "connecting";
    this.#state = "lingering";
    this.#since = this.#owner.now();
    this.#framer.stop();
    this.#outgoing = "";
    if (connecting) {
      this.#owner.counted.connectFailures += 1;
      const failure = this.#error(error?.message ?? "closed before it was there", error);
      for (const to of this.#waiting) this.#owner.failed(failure, to);
      this.#waiting = [];
    }
    this.#owner.ended(this);
  }

  #gone(): void {
    this.#end();
    if (this.#state === "gone") return;
    this.#state = "gone";
    this.#owner.gone(this);
  }

  #error(reason: string, cause?: Error): TransportError {
    const where = formatHostPort(this.peer.address, this.peer.port);
    return new TransportError(`${this.peer.protocol} to ${where}: ${reason}`, { cause });
  }
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
