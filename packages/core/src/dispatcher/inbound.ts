import type { Connection, Peer } from "../arrival.ts";
import type { Packet } from "../chain/handler.ts";
import { ParseError, type SipError, TransportError } from "../errors.ts";
import { parsePacket } from "../message/parse.ts";
import { refusalTo } from "../message/refusal.ts";
import { stampVia } from "../message/stamp-via.ts";
import { validate } from "../message/validate.ts";
import { malformedChannel } from "../trace/malformed-channel.ts";
import type { TransportLeg } from "../transport/leg.ts";
import type { TransportSink } from "../transport/transport.ts";
import { asSipError } from "./as-sip-error.ts";
import { Exchange } from "./exchange.ts";
import { InboundRequests, type InboundRequestsHost } from "./inbound-requests.ts";
import { InboundResponses, type InboundResponsesHost } from "./inbound-responses.ts";
import { PendingHandlers } from "./pending-handlers.ts";
import { isTooLongFor } from "./proportion.ts";
import type { SetAside } from "./set-aside.ts";

/** What a packet meets on its way in. */
export interface InboundHost extends InboundRequestsHost, InboundResponsesHost {
  readonly setAside: SetAside;
  /** Whether the legs are open; `false` again before they are closed. */
  readonly isOpen: boolean;
}

/** A packet's way in: parse it, and let requests and responses go their ways. */
export class Inbound {
  readonly #host: InboundHost;
  readonly #handlers = new PendingHandlers();
  readonly #requests: InboundRequests;
  readonly #responses: InboundResponses;

  constructor(host: InboundHost) {
    this.#host = host;
    this.#requests = new InboundRequests(host, this.#handlers);
    this.#responses = new InboundResponses(host, this.#handlers);
  }

  /** How many requests wait behind a pending one of their call. */
  get waiting(): number {
    return this.#requests.waiting;
  }

  /** How many asynchronous handlers have not come to an end. */
  get pending(): number {
    return this.#handlers.size;
  }

  /** What a leg's transport calls. */
  sink(leg: TransportLeg): TransportSink {
    return {
      message: (bytes, from) => this.#message(leg, bytes, from),
      malformed: (error, head, from) => this.#refuse(leg, head, error, from),
      failed: (error, to) => this.#failed(error, to),
      closed: (connection) => this.#closed(leg, connection),
    };
  }

  #closed(leg: TransportLeg, connection: Connection): void {
    for (const { user } of this.#host.table.connectionClosed(connection)) {
      if (user instanceof Exchange) user.abort();
    }
    if (!this.#host.hasStarted || !this.#host.isOpen) return;
    try {
      this.#host.receiver.connectionClosed(connection, leg);
    } catch (error) {
      this.#host.report(asSipError(error));
    }
  }

  #message(leg: TransportLeg, bytes: Uint8Array, from: Peer): void {
    let packet: Packet;
    try {
      packet = parsePacket(bytes);
      validate(packet);
      if (packet.isRequest) stampVia(packet, from);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#refuse(leg, bytes, error, from);
      return;
    }
    if (packet.isRequest) this.#requests.receive(packet, leg, from, bytes.length);
    else this.#responses.receive(packet, leg, from, bytes.length);
  }

  /** Bytes that are no packet: answered without state where there is somebody to answer. */
  #refuse(leg: TransportLeg, bytes: Uint8Array, error: ParseError, from: Peer): void {
    const { clock, node } = this.#host;
    this.#host.count("malformedMessages");
    if (malformedChannel.hasSubscribers) {
      malformedChannel.publish({ at: clock.now(), node, error, bytes, leg, peer: from });
    }
    const response = refusalTo(bytes, error);
    // What is so short that its answer would be out of proportion is no client's.
    if (response !== undefined && !isTooLongFor(response.toWire(), from, bytes.length)) {
      this.#host.sending(response, leg, from);
      leg.send(response.toWire(), from);
    }
    // A message that ends elsewhere for whoever forwarded it may have brought another one that he never saw. A WebSocket
    // frame ends where it says.
    const isStream = from.protocol === "tcp" || from.protocol === "tls";
    if (error.isAmbiguous && isStream && from.connection?.close !== undefined) {
      this.#host.count("distrustedStreams");
      from.connection.close();
    }
  }

  #failed(error: SipError, to: Peer): void {
    this.#host.count("failedSends");
    const failure =
      error instanceof TransportError ? error : new TransportError(error.message, { cause: error });
    this.#host.setAside.failed(to);
    this.#host.table.peerFailed(to, failure);
  }
}
