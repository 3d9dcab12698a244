import type { Request } from "../message/request.ts";
import type { Outlet, SendTrace } from "./outlet.ts";
import type { LastTimer, TimerName, Timers, TimerTask } from "./timers.ts";
import { type TransactionEnd, transactionChannel } from "./transaction-channel.ts";
import { TransactionSpan } from "./transaction-span.ts";

/** The kinds of transactions that are counted. */
export type MachineKind =
  | "inviteServers"
  | "nonInviteServers"
  | "inviteClients"
  | "nonInviteClients";

/** What a machine needs of the table that keeps it. */
export interface MachineKeeper {
  readonly timers: Timers;
  readonly trace: SendTrace;
  /** The dispatcher's, for events. */
  readonly node: string;
  /** The machine has its final response: it keeps `bytes` from now on, and goes when memory is short. */
  settled(machine: Machine, bytes: number): void;
  /** The machine is in its Terminated state. */
  terminated(machine: Machine): void;
}

/** What the four state machines of RFC 3261 §17 have in common: a key, an outlet, two timers and a share of memory. */
export abstract class Machine<Keeper extends MachineKeeper = MachineKeeper> implements TimerTask {
  readonly key: string;
  readonly outlet: Outlet;
  /** What it keeps alive, in bytes; the table's to change. */
  bytes: number;
  /** Whether it has no final response yet; the table's to change. */
  pending = true;
  protected readonly keeper: Keeper;
  #retransmission = 0;
  #deadline = 0;
  #span: TransactionSpan | undefined;

  constructor(key: string, outlet: Outlet, bytes: number, keeper: Keeper) {
    this.key = key;
    this.outlet = outlet;
    this.bytes = bytes;
    this.keeper = keeper;
  }

  abstract get kind(): MachineKind;

  abstract fired(name: TimerName): void;

  /** Ends it before its time: the table needs its place, or nobody waits for it any more. */
  abstract abandon(): void;

  protected get timers(): Timers {
    return this.keeper.timers;
  }

  protected get reliable(): boolean {
    return this.outlet.leg.reliable;
  }

  protected send(wire: string): void {
    this.outlet.leg.send(wire, this.outlet.peer);
  }

  /** Sends what went out before. */
  protected resend(wire: string): void {
    this.keeper.trace(wire, this.outlet, true);
    this.send(wire);
  }

  /** Sends what the machine made by itself, so that nobody else has told of it. */
  protected sendOwn(wire: string): void {
    this.keeper.trace(wire, this.outlet, false);
    this.send(wire);
  }

  /** Tells that a client's request goes out. A server's begins and ends with its exchange. */
  protected began(request: Request): void {
    if (!transactionChannel.hasSubscribers) return;
    const { leg, peer } = this.outlet;
    const at = this.timers.now();
    this.#span = new TransactionSpan("client", request, { at, node: this.keeper.node, leg, peer });
  }

  /** Tells what came of the request. */
  protected concluded(end: TransactionEnd): void {
    this.#span?.end(this.timers.now(), end);
  }

  /** Starts the timer that repeats a message: A, E, G or a 2xx's. */
  protected repeatAfter(name: "A" | "E" | "G" | "2xx", delay: number): void {
    this.#retransmission = this.timers.start(this, name, delay);
  }

  /** Starts the timer that fails what is pending, after 64·T1. */
  protected failBy(name: "B" | "F" | "cancelled"): void {
    this.timers.stop(this.#deadline);
    this.#deadline = this.timers.start(this, name, this.timers.timeout);
  }

  /** Starts the timer that ends a last state. */
  protected endBy(name: LastTimer): void {
    this.timers.stop(this.#deadline);
    this.#deadline = this.timers.startLast(this, name);
  }

  protected stopRepeating(): void {
    this.timers.stop(this.#retransmission);
    this.#retransmission = 0;
  }

  protected stopTimers(): void {
    this.stopRepeating();
    this.timers.stop(this.#deadline);
    this.#deadline = 0;
  }
}
