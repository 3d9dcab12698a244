import type { Connection, Peer, Protocol } from "../arrival.ts";
import type { ParseError, TransportError } from "../errors.ts";
import type { Carrier, CarrierSink, OpenCarrier, PeerProof } from "./carrier.ts";
import type { ConnectionEvent } from "./connection-channel.ts";
import { Progress } from "./progress.ts";
import type { StreamCounters } from "./stream-counters.ts";
import type { StreamLimits } from "./stream-limits.ts";
import { sendError } from "./transport-errors.ts";

/** What a connection tells the transport that it belongs to. */
export interface ConnectionOwner {
  readonly protocol: Protocol;
  readonly limits: StreamLimits;
  readonly counted: StreamCounters;
  now(): number;
  message(bytes: Uint8Array, connection: StreamConnection): void;
  malformed(error: ParseError, head: Uint8Array, connection: StreamConnection): void;
  failed(error: TransportError, to: Peer): void;
  /** Tells those who listen what happened to a connection. */
  trace(what: ConnectionEvent["what"], peer: Peer, why?: string): void;
  /** Nothing more is read from it or sent to it. */
  ended(connection: StreamConnection): void;
  /** Its socket is gone. */
  gone(connection: StreamConnection): void;
  /** It has something to write: `flush` it before the next turn of the event loop. */
  dirty(connection: StreamConnection): void;
}

/** How long the other side has to take what we sent last and to close its half: milliseconds. */
const LINGER = 2_000;
/** The time in which keep-alives are counted together: milliseconds. */
const SECOND = 1_000;

type State = "connecting" | "open" | "lingering" | "gone";

/** One connection of a protocol that has them, whoever opened it. */
export class StreamConnection implements Connection, CarrierSink {
  readonly id: number;
  readonly peer: Peer;
  readonly #owner: ConnectionOwner;
  readonly #carrier: Carrier;
  readonly #progress: Progress;
  #proof: PeerProof | undefined;
  #state: State;
  /** When it was made, or began to linger. */
  #since: number;
  /** Whether something waits for `flush`. */
  #dirty = false;
  /** Frames without a message since then. */
  #overheadSince = 0;
  #overhead = 0;
  /** Whom to tell when the connection that is being opened fails. */
  #waiting: Peer[] = [];

  constructor(
    owner: ConnectionOwner,
    open: OpenCarrier,
    about: {
      readonly id: number;
      readonly address: string;
      readonly port: number;
      readonly accepted: boolean;
      readonly domain?: string | undefined;
      readonly proof?: PeerProof | undefined;
    },
  ) {
    const { id, address, port, accepted, domain, proof } = about;
    this.id = id;
    this.peer = {
      protocol: owner.protocol,
      address,
      port,
      connection: this,
      ...(domain === undefined ? {} : { domain }),
    };
    this.#owner = owner;
    this.#proof = proof;
    this.#state = accepted ? "open" : "connecting";
    this.#since = owner.now();
    this.#progress = new Progress(owner.limits, accepted, this.#since);
    this.#carrier = open(this);
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

  /** Sends one message; what was sent before the connection was there fails with it. */
  send(message: string | Uint8Array, to: Peer): void {
    if (!this.open) {
      this.#owner.failed(this.#error("the connection is closed"), to);
      return;
    }
    if (this.#state === "connecting") this.#waiting.push(to);
    this.#write(typeof message === "string" ? message : latin1Of(message));
  }

  /** Hands over what was sent. */
  flush(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#progress.written(this.#owner.now());
    this.#carrier.flush();
  }

  /** Sends what is left, then closes; the other side has a moment to do the same. */
  close(): void {
    this.#close("this side closes");
  }

  expectBytes(within: number): void {
    this.#progress.expectBytes(within);
  }

  /** Closes at once, whatever is left. */
  destroy(why: string): void {
    this.ended(new Error(why));
    this.#carrier.destroy();
  }

  /** Closes what has taken too long for what it is doing. */
  checkDeadlines(now: number): void {
    const { limits, counted } = this.#owner;
    if (this.#state === "connecting") {
      if (now - this.#since >= limits.connectTimeout) this.destroy("no answer in time");
    } else if (this.#state === "lingering") {
      if (now - this.#since >= LINGER) this.#carrier.destroy();
    } else {
      const delay = this.#progress.overdue(now);
      if (delay === undefined) return;
      counted[delay.counter] += 1;
      this.#close(delay.why);
    }
  }

  ready(proof?: PeerProof): void {
    if (this.#state !== "connecting") return;
    this.#proof = proof;
    this.#state = "open";
    this.#waiting = [];
    this.#owner.trace("opened", this.peer);
  }

  read(): void {
    this.#progress.read(this.#owner.now(), this.#carrier.partial);
  }

  message(bytes: Uint8Array): void {
    this.#progress.message();
    this.#owner.message(bytes, this);
  }

  /** RFC 5626 §4.4.1 */
  ping(): void {
    this.#owner.counted.keepAlives += 1;
    this.overhead(1);
    this.#write("\r\n");
  }

  keepAlive(): void {
    this.#owner.counted.keepAlives += 1;
    this.overhead(1);
  }

  overhead(frames: number): void {
    if (!this.open) return;
    const now = this.#owner.now();
    if (now - this.#overheadSince >= SECOND) {
      this.#overheadSince = now;
      this.#overhead = 0;
    }
    this.#overhead += frames;
    if (this.#overhead <= this.#owner.limits.maxKeepAlives) this.#checkWaiting();
    else {
      this.#owner.counted.keepAliveFloods += 1;
      this.destroy("too many keep-alives");
    }
  }

  malformed(error: ParseError, head: Uint8Array): void {
    this.#owner.counted.unframeableStreams += 1;
    this.#owner.malformed(error, head, this);
    this.#close("it can't be cut into messages any more", true);
  }

  broken(error: Error): void {
    if (this.#state === "open") this.#owner.counted.unframeableStreams += 1;
    this.ended(error);
  }

  /** Either side is through: nothing more is read or sent. */
  ended(error?: Error): void {
    if (!this.open) return;
    const connecting = this.#state === "connecting";
    this.#linger();
    if (!connecting) {
      this.#owner.trace("closed", this.peer, reasonOf(error) ?? "the other side closed it");
    } else {
      this.#owner.counted.connectFailures += 1;
      const why = reasonOf(error) ?? "closed before it was there";
      this.#owner.trace("failed", this.peer, why);
      const failure = this.#error(why, error);
      for (const to of this.#waiting) this.#owner.failed(failure, to);
      this.#waiting = [];
    }
    this.#owner.ended(this);
  }

  gone(): void {
    this.ended();
    if (this.#state === "gone") return;
    this.#state = "gone";
    this.#owner.gone(this);
  }

  #write(text: string): void {
    if (!this.open) return;
    if (!this.#dirty) {
      this.#dirty = true;
      this.#owner.dirty(this);
    }
    this.#carrier.send(text);
    this.#checkWaiting();
  }

  #checkWaiting(): void {
    if (this.#carrier.waiting <= this.#owner.limits.maxBuffered) return;
    this.#owner.counted.slowReaders += 1;
    this.destroy("it reads too slowly");
  }

  #close(why: string, fault = false): void {
    if (!this.open) return;
    if (this.#state === "connecting") {
      this.destroy("closed before it was there");
      return;
    }
    this.flush();
    this.#linger();
    this.#carrier.end(fault);
    this.#owner.trace("closed", this.peer, why);
    this.#owner.ended(this);
  }

  #linger(): void {
    this.#state = "lingering";
    this.#since = this.#owner.now();
    this.#dirty = false;
    this.#carrier.stop();
  }

  #error(reason: string, cause?: Error): TransportError {
    return sendError(this.peer.protocol, this.peer, reason, cause);
  }
}

/** What happened, without where in OpenSSL: `…:error:0A00010B:SSL routines:get_record:wrong version number:record.c:350:`. */
function reasonOf(error: Error | undefined): string | undefined {
  return /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(error?.message ?? "")?.[1] ?? error?.message;
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
