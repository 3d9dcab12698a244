import type { SipError } from "../errors.ts";
import type { Request } from "../message/request.ts";
import type { VirtualHost } from "./virtual-host.ts";

/** Builds what runs on a node: called at each start, so that nothing of an earlier life is left. */
export type NodeFactory<App> = (host: VirtualHost) => App | Promise<App>;

/** What a node is made of. */
export interface NodeOptions<App> {
  /** An IPv4 or IPv6 address. Default: the next free one of 192.0.2.0/24. */
  readonly address?: string;
  /** What a resolver finds it by, besides the node's own name: a domain of its, for example. */
  readonly names?: readonly string[];
  /** What is to outlive a crash, such as a store, is made outside of it. */
  readonly start: NodeFactory<App>;
}

/** A host on a `VirtualNetwork`, and what runs there. */
export class VirtualNode<App = unknown> {
  readonly name: string;
  readonly address: string;
  readonly names: readonly string[];
  readonly #start: NodeFactory<App>;
  readonly #newHost: () => VirtualHost;
  #host: VirtualHost | undefined;
  #starting: Promise<App> | undefined;
  #app: { readonly it: App } | undefined;

  /** @internal */
  constructor(about: {
    readonly name: string;
    readonly address: string;
    readonly names: readonly string[];
    readonly start: NodeFactory<App>;
    readonly newHost: () => VirtualHost;
  }) {
    this.name = about.name;
    this.address = about.address;
    this.names = about.names;
    this.#start = about.start;
    this.#newHost = about.newHost;
  }

  get isRunning(): boolean {
    return this.#app !== undefined;
  }

  /** What the factory gave. Throws while the node doesn't run. */
  get app(): App {
    if (this.#app === undefined) throw new Error(`the node "${this.name}" isn't running`);
    return this.#app.it;
  }

  /** What is alive here by name, of all dispatchers that the host serves: all zero when it is idle. */
  gauges(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const server of this.#host?.servers ?? []) {
      for (const [name, count] of Object.entries(server.stats())) {
        sums[name] = (sums[name] ?? 0) + count;
      }
    }
    return sums;
  }

  /** @internal */
  get pendingHandlers(): number {
    return (this.#host?.servers ?? []).reduce(
      (sum, server) => sum + (server.stats().pendingHandlers ?? 0),
      0,
    );
  }

  /** See {@link VirtualHost.newRequest}. Throws while the node doesn't run. */
  newRequest(...about: Parameters<VirtualHost["newRequest"]>): Request {
    if (this.#host === undefined) throw new Error(`the node "${this.name}" isn't running`);
    return this.#host.newRequest(...about);
  }

  /** Whether it has begun to start, and isn't through. */
  get isStarting(): boolean {
    return this.#starting !== undefined;
  }

  /**
   * Runs the factory, and rejects as it does. One that needs virtual time to start, to register somewhere for example,
   * is awaited by `net.until(node.start())`. While it starts, the same promise is given again.
   */
  start(): Promise<App> {
    if (this.#starting !== undefined) return this.#starting;
    if (this.#app !== undefined) {
      return Promise.reject(new Error(`the node "${this.name}" runs already`));
    }
    const host = this.#newHost();
    this.#host = host;
    const starting = this.#run(host).finally(() => {
      if (this.#starting === starting) this.#starting = undefined;
    });
    this.#starting = starting;
    return starting;
  }

  /**
   * Stops everything at once, as a power cut does: timers never fire, what is still sent goes nowhere, nobody is told;
   * the other ends of its connections are reset as the news arrives. Does nothing while the node doesn't run.
   */
  crash(): void {
    this.#host?.crash();
    this.#host = undefined;
    // Who asked for the crash needn't look after the start that it ends.
    this.#starting?.catch(() => undefined);
    this.#starting = undefined;
    this.#app = undefined;
  }

  /** Crashes, where it runs, and starts again. */
  restart(): Promise<App> {
    this.crash();
    return this.start();
  }

  async #run(host: VirtualHost): Promise<App> {
    try {
      const app = await this.#start(host);
      if (host.isDead) throw new Error(`the node "${this.name}" crashed before it had started`);
      this.#app = { it: app };
      return app;
    } catch (error) {
      if (this.#host === host) this.crash();
      throw error;
    }
  }
}

/** Something that a dispatcher reported, and where. */
export interface NodeError {
  readonly node: string;
  readonly at: number;
  readonly error: SipError;
}
