import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { Peer } from "../arrival.ts";
import { messageOf } from "../errors.ts";
import { untilListening } from "./adopted-listener.ts";
import { addressFamily } from "./host-port.ts";
import type { ListenAddress } from "./leg-address.ts";
import { answerStun } from "./stun.ts";
import type { Transport, TransportSink } from "./transport.ts";
import type { TransportContext } from "./transport-context.ts";
import { listenError, sendError } from "./transport-errors.ts";

/** What the kernel is asked to buffer for us either way; it gives what its own limit allows. */
const SOCKET_BUFFER = 4_194_304;

/** Bytes of followed datagrams that may wait for the kernel to take them. */
const MAX_QUEUED = 4_194_304;

/** Of short replies, one in so many is followed. */
const FOLLOWED = 16;

/** Longer datagrams may be too long for a network: each one is followed. */
const SHORT = 8_192;

const CR = 13;
const LF = 10;

/** A socket that the caller made. */
interface AdoptedSocket {
  readonly socket: Socket;
  readonly context: Pick<TransportContext, "clock">;
}

/** Where a datagram came from. Replies are told from requests by it. */
class Source implements Peer {
  readonly protocol = "udp" as const;
  readonly address: string;
  readonly port: number;

  constructor(from: RemoteInfo) {
    this.address = from.address;
    this.port = from.port;
  }
}

/**
 * SIP over UDP from one address. What is sent is followed until the kernel has it, and told of when it fails. Deviation:
 * of short replies to the very peer that a datagram came from only one in sixteen is. Nobody waits for the fate of a
 * response (its request comes again), and to follow one costs a tenth of receiving and answering a datagram; but the
 * sample counts what goes wrong, and bounds what waits for the kernel.
 *
 * An IPv6 socket takes IPv6 only, so that a leg has one address family.
 *
 * RFC 3261 §18; keep-alives: RFC 5626 §4.4.2
 */
export class UdpTransport implements Transport {
  readonly protocol = "udp" as const;
  readonly #listen: ListenAddress;
  readonly #socket: Socket;
  readonly #adopted: AdoptedSocket | undefined;
  readonly #onError = (): void => {
    this.#receiveErrors += 1;
  };
  #onMessage: ((bytes: Buffer, from: RemoteInfo) => void) | undefined;
  #sink: TransportSink | undefined;
  #queued = 0;
  #replies = 0;
  #keepAlives = 0;
  #sendErrors = 0;
  #receiveErrors = 0;

  /** `adopted`: a socket that the caller made, binds and closes. */
  constructor(listen: ListenAddress, adopted?: AdoptedSocket) {
    this.#listen = listen;
    this.#adopted = adopted;
    this.#socket = adopted?.socket ?? createOwn(listen);
  }

  async listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    const socket = this.#socket;
    this.#sink = sink;
    try {
      if (this.#adopted === undefined) await bind(socket, this.#listen);
      else await untilListening(socket, isBound(socket), this.#adopted.context.clock);
    } catch (cause) {
      throw listenError(this.#listen, cause);
    }
    socket.on("error", this.#onError);
    this.#onMessage = (bytes, from) => this.#receive(sink, bytes, from);
    socket.on("message", this.#onMessage);
    return socket.address();
  }

  send(message: string | Uint8Array, to: Peer): void {
    if (this.#sink === undefined) return; // it doesn't listen yet: nobody to tell, and no port to send from
    const bytes = typeof message === "string" ? Buffer.from(message, "latin1") : message;
    if (this.#queued + bytes.length > MAX_QUEUED) {
      this.#fail(to, new Error("too much is waiting to be sent"));
      return;
    }
    try {
      if (to instanceof Source && bytes.length < SHORT && ++this.#replies % FOLLOWED !== 0) {
        this.#socket.send(bytes, to.port, to.address);
      } else {
        this.#follow(bytes, to);
      }
    } catch (error) {
      this.#fail(to, error);
    }
  }

  counters(): Readonly<Record<string, number>> {
    return {
      keepAlives: this.#keepAlives,
      sendErrors: this.#sendErrors,
      receiveErrors: this.#receiveErrors,
    };
  }

  close(): Promise<void> {
    if (this.#adopted !== undefined) {
      this.#sink = undefined;
      this.#socket.off("error", this.#onError);
      if (this.#onMessage) this.#socket.off("message", this.#onMessage);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      try {
        this.#socket.close(() => resolve());
      } catch {
        resolve(); // it was closed before
      }
    });
  }

  #receive(sink: TransportSink, bytes: Buffer, from: RemoteInfo): void {
    const first = bytes[0];
    if (first === undefined || first <= CR) {
      // Phones keep their NAT binding open with line ends, NULs or nothing at all.
      if (isFiller(bytes)) {
        this.#keepAlives += 1;
        return;
      }
      if (this.#stun(bytes, from)) return;
    }
    sink.message(bytes, new Source(from));
  }

  /** Whether a datagram was STUN: a phone's keep-alive. */
  #stun(bytes: Buffer, from: RemoteInfo): boolean {
    const answer = answerStun(bytes, from);
    if (answer === undefined) return false;
    this.#keepAlives += 1;
    if (answer !== "nothing") this.send(answer, new Source(from));
    return true;
  }

  #follow(bytes: Uint8Array, to: Peer): void {
    this.#socket.send(bytes, to.port, to.address, (error) => {
      this.#queued -= bytes.length;
      if (error) this.#fail(to, error);
    });
    this.#queued += bytes.length;
  }

  /** Tells of a failure once `send` has returned, so that its caller is never called back from within. */
  #fail(to: Peer, cause: unknown): void {
    this.#sendErrors += 1;
    const error = sendError("udp", to, messageOf(cause), cause);
    process.nextTick(() => this.#sink?.failed(error, to));
  }
}

/** Whether a datagram is CR, LF and NUL throughout. */
function isFiller(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0 || byte === CR || byte === LF);
}

function createOwn({ address: local, reusePort = false }: ListenAddress): Socket {
  const family = addressFamily(local);
  const sharing = reusePort ? { reusePort } : {};
  return createSocket({
    ...sharing,
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: family === 6,
    // A peer's address is a literal: asking the system's look-up costs 0.9 µs a datagram and a turn of the event loop.
    lookup: (address, _options, callback) => callback(null, address, family),
  });
}

function bind(socket: Socket, { address, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off("error", reject);
      enlargeBuffers(socket);
      resolve();
    });
  });
}

function isBound(socket: Socket): boolean {
  try {
    return socket.address().port > 0;
  } catch {
    return false;
  }
}

function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(SOCKET_BUFFER);
    socket.setSendBufferSize(SOCKET_BUFFER);
  } catch {
    // Some systems refuse what Linux silently cuts to its limit: then their default has to do.
  }
}
