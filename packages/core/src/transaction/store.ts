import type { Clock } from "../clock.ts";
import type { Request } from "../message/request.ts";
import { AnswerLog } from "./answer-log.ts";
import type { ClientMachine } from "./client-machine.ts";
import { PENDING_BYTES } from "./footprint.ts";
import type { InviteClientKeeper } from "./invite-client.ts";
import type { InviteServer, InviteServerKeeper } from "./invite-server.ts";
import { clientKeyOfRequest } from "./keys.ts";
import type { Machine, MachineKind } from "./machine.ts";
import { NonInviteClient } from "./non-invite-client.ts";
import type { NonInviteServer, NonInviteServerKeeper } from "./non-invite-server.ts";
import type { Outlet, SendTrace } from "./outlet.ts";
import { OutletIndex } from "./outlet-index.ts";
import type { ServerTransaction } from "./server-transaction.ts";
import { type BaseTimes, type LastTimer, Timers } from "./timers.ts";

/** How a transaction store is made. */
export interface StoreOptions extends BaseTimes {
  readonly clock: Clock;
  /** What all transactions together may keep alive, in bytes, by estimate. Default: 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Counts an event under a name. */
  readonly count: (name: string) => void;
  /** Called when no transaction is pending any more, from within what ended the last one. */
  readonly whenIdle?: () => void;
  /** Default: nobody is told. */
  readonly trace?: SendTrace;
  /** Which dispatcher's they are, for events. Default: empty. */
  readonly node?: string;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

// Which INVITE transactions go first when memory is short: those that have had their ACK, those that sent it, those
// that wait for another 2xx, those that absorb the INVITE after a 2xx, those whose ACK is still to come.
const INVITES_BY_WORTH = ["I", "D", "M", "L", "H"] as const satisfies readonly LastTimer[];

/**
 * Where transactions are kept, found by key, and bounded in bytes: completed non-INVITE ones make room first, the
 * oldest first, completed INVITE ones last, pending ones never.
 */
export class TransactionStore
  implements InviteServerKeeper, NonInviteServerKeeper, InviteClientKeeper
{
  readonly timers: Timers;
  readonly trace: SendTrace;
  readonly node: string;
  readonly servers: Map<string, ServerTransaction> = new Map();
  readonly clients: Map<string, ClientMachine> = new Map();
  /** The INVITE transactions that wait for the ACK to a 2xx of ours. */
  readonly awaitingAck: Map<string, InviteServer> = new Map();
  /** The pending ones, by where they send. */
  readonly serversByPeer: OutletIndex<ServerTransaction> = new OutletIndex();
  readonly clientsByPeer: OutletIndex<ClientMachine> = new OutletIndex();
  /** What is left of completed non-INVITE server transactions. */
  readonly answers: AnswerLog;
  readonly #maxBytes: number;
  readonly #count: (name: string) => void;
  readonly #whenIdle: (() => void) | undefined;
  readonly #alive = {
    inviteServers: 0,
    nonInviteServers: 0,
    inviteClients: 0,
    nonInviteClients: 0,
  };
  #pending = 0;
  #bytes = 0;
  #pendingBytes = 0;

  constructor(options: StoreOptions) {
    this.timers = new Timers(options.clock, options);
    this.trace = options.trace ?? (() => undefined);
    this.node = options.node ?? "";
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#count = options.count;
    this.#whenIdle = options.whenIdle;
    // Timer J: 64·T1.
    this.answers = new AnswerLog(options.clock, this.timers.timeout, this.trace);
  }

  get alive(): Readonly<Record<MachineKind, number>> {
    const nonInviteServers = this.#alive.nonInviteServers + this.answers.size;
    return { ...this.#alive, nonInviteServers };
  }

  get pending(): number {
    return this.#pending;
  }

  /** Whether pending transactions leave room for another one. */
  get hasRoom(): boolean {
    return this.#pendingBytes + PENDING_BYTES <= this.#maxBytes;
  }

  get bytes(): number {
    return this.#bytes + this.answers.bytes;
  }

  /** Keeps a server transaction, unless its key is taken or there is no room. */
  addServer(machine: ServerTransaction): boolean {
    if (this.servers.has(machine.key) || !this.#makeRoom(machine.bytes)) return this.#refuse();
    this.servers.set(machine.key, machine);
    if (machine.outlet.peer.connection) this.serversByPeer.add(machine.outlet.peer, machine);
    this.#added(machine);
    return true;
  }

  /** Keeps a client transaction, unless its key is taken or there is no room. */
  addClient(machine: ClientMachine): boolean {
    if (this.clients.has(machine.key) || !this.#makeRoom(machine.bytes)) return this.#refuse();
    this.#insertClient(machine);
    return true;
  }

  /** Keeps the answer to a non-INVITE for Timer J; not at all when only worthier ones fill the memory. */
  addAnswer(key: string, outlet: Outlet, wire: string): void {
    const bytes = AnswerLog.bytesOf(key, outlet, wire);
    let isKept = true;
    while (isKept && this.bytes + bytes > this.#maxBytes) isKept = this.#evictNonInvite();
    if (!isKept || !this.answers.add(key, outlet, wire)) this.#count("evictedTransactions");
  }

  settled(machine: Machine, bytes: number): void {
    if (machine.pending) this.#notPending(machine);
    this.#bytes += bytes - machine.bytes;
    machine.bytes = bytes;
  }

  terminated(machine: Machine): void {
    if (machine.pending) this.#notPending(machine);
    if (isClient(machine)) this.clients.delete(machine.key);
    else this.servers.delete(machine.key);
    this.#alive[machine.kind]--;
    this.#bytes -= machine.bytes;
  }

  answered(transaction: NonInviteServer, wire: string): void {
    this.terminated(transaction);
    // Timer J is 64·T1 on unreliable transports, 0 on reliable ones.
    if (!transaction.outlet.leg.reliable) this.addAnswer(transaction.key, transaction.outlet, wire);
  }

  awaitAck(key: string, transaction: InviteServer): void {
    this.awaitingAck.set(key, transaction);
  }

  forgetAck(key: string, transaction: InviteServer): void {
    if (this.awaitingAck.get(key) === transaction) this.awaitingAck.delete(key);
  }

  sendCancel(cancel: Request, outlet: Outlet): void {
    const key = clientKeyOfRequest(cancel);
    if (this.clients.has(key)) return;
    const machine = new NonInviteClient(key, cancel, outlet, undefined, this);
    // Never refused: it frees more than it takes.
    this.#insertClient(machine);
    this.trace(cancel.toWire(), outlet, false);
    machine.start();
  }

  /** Lets go of what is left, and of every timer. */
  close(): void {
    this.timers.close();
    this.answers.close();
    this.servers.clear();
    this.clients.clear();
    this.awaitingAck.clear();
    this.serversByPeer.clear();
    this.clientsByPeer.clear();
  }

  #insertClient(machine: ClientMachine): void {
    this.clients.set(machine.key, machine);
    this.clientsByPeer.add(machine.outlet.peer, machine);
    this.#added(machine);
  }

  #added(machine: Machine): void {
    this.#alive[machine.kind]++;
    this.#pending++;
    this.#bytes += machine.bytes;
    this.#pendingBytes += machine.bytes;
  }

  #notPending(machine: Machine): void {
    machine.pending = false;
    this.#pending--;
    this.#pendingBytes -= machine.bytes;
    const { peer } = machine.outlet;
    if (isClient(machine)) this.clientsByPeer.delete(peer, machine);
    else if (peer.connection) this.serversByPeer.delete(peer, machine as ServerTransaction);
    if (this.#pending === 0) this.#whenIdle?.();
  }

  #makeRoom(bytes: number): boolean {
    if (this.#pendingBytes + bytes > this.#maxBytes) return false;
    while (this.bytes + bytes > this.#maxBytes) {
      if (!this.#evictNonInvite() && !this.#evictInvite()) return false;
    }
    return true;
  }

  #evictNonInvite(): boolean {
    if (this.answers.size > 0) this.answers.dropOldest();
    else {
      const absorbing = this.timers.oldest("K");
      if (absorbing === undefined) return false;
      (absorbing as NonInviteClient).abandon();
    }
    this.#count("evictedTransactions");
    return true;
  }

  #evictInvite(): boolean {
    for (const timer of INVITES_BY_WORTH) {
      const oldest = this.timers.oldest(timer);
      if (oldest !== undefined) {
        (oldest as Machine).abandon();
        this.#count("evictedInviteTransactions");
        return true;
      }
    }
    return false;
  }

  #refuse(): false {
    this.#count("refusedTransactions");
    return false;
  }
}

function isClient(machine: Machine): machine is ClientMachine {
  return machine.kind === "inviteClients" || machine.kind === "nonInviteClients";
}
