import type { Connection, Peer } from "../arrival.ts";
import { TransportError } from "../errors.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import type { ClientMachine } from "./client-machine.ts";
import type { ClientUser } from "./client-user.ts";
import type { CompletedAnswer } from "./completed-answer.ts";
import { InviteClient } from "./invite-client.ts";
import { InviteServer } from "./invite-server.ts";
import {
  ackKeyOf,
  clientKeyOf,
  clientKeyOfRequest,
  inviteKeyOf,
  serverKeyOf,
  serverKeyOfResponse,
} from "./keys.ts";
import { NonInviteClient } from "./non-invite-client.ts";
import { NonInviteServer } from "./non-invite-server.ts";
import type { Outlet } from "./outlet.ts";
import type { ServerTransaction } from "./server-transaction.ts";
import type { ServerUser } from "./server-user.ts";
import { type StoreOptions, TransactionStore } from "./store.ts";

/** What a transaction table holds. */
export interface TransactionStats {
  readonly inviteServers: number;
  /** With those that are completed and only answer retransmissions. */
  readonly nonInviteServers: number;
  readonly inviteClients: number;
  readonly nonInviteClients: number;
  /** What they keep alive, by estimate. */
  readonly transactionBytes: number;
}

/**
 * Every transaction of a server: finds the one that a message belongs to and makes new ones. It counts
 * `evictedTransactions`, `evictedInviteTransactions` and `refusedTransactions`.
 *
 * RFC 3261 §17, RFC 6026, RFC 4320
 */
export class TransactionTable {
  readonly #store: TransactionStore;
  #closed = false;
  // The key of a request is asked for twice in a row: to look for its transaction, then to keep it.
  #lastRequest: Request | undefined;
  #lastKey = "";

  constructor(options: StoreOptions) {
    this.#store = new TransactionStore(options);
  }

  get stats(): TransactionStats {
    return { ...this.#store.alive, transactionBytes: this.#store.bytes };
  }

  /** How many transactions have no final response yet. */
  get pending(): number {
    return this.#store.pending;
  }

  /** When a client's Timer E has reached T2, in milliseconds after its request: no 100 to a non-INVITE before that. RFC 4320 §4.1 */
  get untilT2(): number {
    return this.#store.timers.untilT2;
  }

  /** Whether there is room for another pending transaction: completed ones make room for it. */
  get hasRoom(): boolean {
    return !this.#closed && this.#store.hasRoom;
  }

  /**
   * The transaction that a request opened when it came first: this one is its retransmission. A CANCEL finds its own
   * transaction; for an ACK ask `findInvite`.
   *
   * RFC 3261 §17.2.3
   */
  findServer(request: Request): ServerTransaction | CompletedAnswer | undefined {
    const key = this.#keyOf(request);
    return this.#store.servers.get(key) ?? this.#store.answers.find(key);
  }

  /**
   * The INVITE transaction that a CANCEL cancels, or that an ACK acknowledges: by its branch, and for the ACK to a 2xx
   * that this server originates by its dialog.
   *
   * RFC 3261 §9.2, §17.2.3
   */
  findInvite(request: Request): InviteServer | undefined {
    const found = this.#store.servers.get(inviteKeyOf(request));
    if (found instanceof InviteServer) return found;
    if (request.method !== "ACK" || this.#store.awaitingAck.size === 0) return undefined;
    return this.#store.awaitingAck.get(ackKeyOf(request));
  }

  /** The pending or accepted transaction that a response is for, told by its topmost Via. */
  findAnswered(response: Response): ServerTransaction | undefined {
    return this.#store.servers.get(serverKeyOfResponse(response));
  }

  /**
   * Opens a transaction for a request whose answer is not there yet, or for an INVITE. `undefined`: the table is full
   * or closed; the request is to be answered with a stateless 503.
   */
  createServer(request: Request, outlet: Outlet, user: ServerUser): ServerTransaction | undefined {
    if (this.#closed) return undefined;
    const key = this.#keyOf(request);
    const machine =
      request.method === "INVITE"
        ? new InviteServer(key, request, outlet, user, this.#store)
        : new NonInviteServer(key, request, outlet, user, this.#store);
    return this.#store.addServer(machine) ? machine : undefined;
  }

  /**
   * Keeps the final answer to a non-INVITE that was answered at once, for its retransmissions. Only the wire string
   * stays; on reliable transports nothing does, since Timer J is 0 there.
   */
  recordCompleted(request: Request, wire: string, outlet: Outlet): void {
    if (this.#closed || outlet.leg.reliable) return;
    this.#store.addAnswer(this.#keyOf(request), outlet, wire);
  }

  /** The transaction that a response belongs to. RFC 3261 §17.1.3 */
  findClient(response: Response): ClientMachine | undefined {
    return this.#store.clients.get(clientKeyOf(response));
  }

  /**
   * Sends a request, our Via on top, in a new transaction. `undefined`: the table is full or closed, or a transaction
   * has that branch already. The user may be told of a failure before this returns.
   */
  createClient(request: Request, outlet: Outlet, user: ClientUser): ClientMachine | undefined {
    if (this.#closed) return undefined;
    const key = clientKeyOfRequest(request);
    const machine =
      request.method === "INVITE"
        ? new InviteClient(key, request, outlet, user, this.#store)
        : new NonInviteClient(key, request, outlet, user, this.#store);
    if (!this.#store.addClient(machine)) return undefined;
    machine.start();
    return machine;
  }

  /**
   * What was sent to a peer did not get out: fails the pending client transactions that send there. Over UDP only
   * those that gave this very `peer` object, when there are such: a datagram that is too long says nothing of others.
   *
   * RFC 3261 §17.1.4
   */
  peerFailed(peer: Peer, error: TransportError): void {
    const there = this.#store.clientsByPeer.of(peer);
    const these = there.filter((client) => client.outlet.peer === peer);
    const failed = peer.protocol === "udp" && these.length > 0 ? these : there;
    for (const client of failed) client.fail(error);
  }

  /**
   * A connection ended: fails the pending client transactions over it, and gives the pending server transactions whose
   * requests came over it.
   */
  connectionClosed(connection: Connection): readonly ServerTransaction[] {
    const clients = this.#store.clientsByPeer.ofConnection(connection.id);
    if (clients.length > 0) {
      const error = new TransportError("the connection was closed", {
        code: "SIP_CONNECTION_CLOSED",
      });
      for (const client of clients) client.fail(error);
    }
    return this.#store.serversByPeer.ofConnection(connection.id);
  }

  /** Fails every pending client transaction with `SIP_CLOSED` and lets go of everything, timers too. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lastRequest = undefined;
    const error = new TransportError("the server was closed", { code: "SIP_CLOSED" });
    for (const client of [...this.#store.clients.values()]) {
      if (client.pending) client.fail(error);
      else client.abandon();
    }
    for (const server of [...this.#store.servers.values()]) server.abandon();
    this.#store.close();
  }

  #keyOf(request: Request): string {
    if (request !== this.#lastRequest) {
      this.#lastKey = serverKeyOf(request);
      this.#lastRequest = request;
    }
    return this.#lastKey;
  }
}
