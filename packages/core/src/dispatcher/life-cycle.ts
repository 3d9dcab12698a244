import type { Leg } from "../arrival.ts";
import type { Server } from "../chain/server.ts";
import { SipError } from "../errors.ts";
import { startPrinter } from "../trace/printer.ts";
import { Drain } from "./drain.ts";
import type { Engine } from "./engine.ts";
import type { Inbound } from "./inbound.ts";
import { warnOfMissingTcp } from "./missing-tcp.ts";
import type { Outbound } from "./outbound.ts";

/** A server's life: its legs open, its handlers start; what is pending comes to its end, and all is closed again. */
export class LifeCycle {
  readonly #engine: Engine;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  #state: "new" | "listening" | "closed" = "new";
  /** Settles when the legs are open, or one could not be opened. */
  #opening: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #drain: Drain | undefined;

  constructor(engine: Engine, inbound: Inbound, outbound: Outbound) {
    this.#engine = engine;
    this.#inbound = inbound;
    this.#outbound = outbound;
  }

  get isNew(): boolean {
    return this.#state === "new";
  }

  /** See `Dispatcher.listen`. `server` is what handlers are started with. */
  async listen(server: Server): Promise<readonly Leg[]> {
    if (!this.isNew) throw new SipError("SIP_STATE", "a dispatcher listens once");
    this.#state = "listening";
    const { legs, receiver } = this.#engine;
    startPrinter();
    warnOfMissingTcp(legs);
    try {
      this.#opening = this.#open();
      await this.#opening;
      await receiver.start(server);
      this.#refuseClosed();
    } catch (error) {
      await this.close(0);
      throw error;
    }
    this.#engine.hasStarted = true;
    this.#engine.isServing = true;
    return legs;
  }

  /** See `Dispatcher.close`. */
  close(within: number): Promise<void> {
    this.#drain ??= new Drain(this.#engine.clock, () => this.#isIdle);
    this.#drain.limit(within);
    this.#closing ??= this.#close(this.#drain);
    return this.#closing;
  }

  async #open(): Promise<void> {
    const { legs, domains } = this.#engine;
    for (const leg of legs) {
      this.#refuseClosed();
      await leg.listen(this.#inbound.sink(leg));
    }
    this.#refuseClosed();
    domains.legs = legs;
    this.#engine.isOpen = true;
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) {
      throw new SipError("SIP_STATE", "the dispatcher was closed while it began to listen");
    }
  }

  get #isIdle(): boolean {
    return this.#engine.table.pending === 0 && this.#outbound.unresolved === 0;
  }

  async #close(drain: Drain): Promise<void> {
    this.#state = "closed";
    const engine = this.#engine;
    engine.isServing = false;
    // What is being opened can't be closed yet.
    await this.#opening.catch(() => undefined);
    for (const leg of engine.legs) leg.stopListening();
    engine.whenIdle = () => drain.look();
    await drain.done();
    let failure: unknown;
    await engine.receiver.close().catch((error: unknown) => {
      failure = error;
    });
    engine.isOpen = false;
    engine.table.close();
    engine.watch.close();
    engine.setAside.clear();
    engine.closeResolver();
    await Promise.all(engine.legs.map((leg) => leg.close()));
    if (failure !== undefined) throw failure;
  }
}
