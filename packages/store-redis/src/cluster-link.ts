import { createCluster } from "@redis/client";
import { StoreUnavailable } from "@sipkit/registrar";
import type { LinkSettings } from "./client-link.ts";
import { inTime } from "./deadline.ts";
import { nameFailure } from "./failures.ts";
import type { Command, Connection, Link } from "./link.ts";
import { clientOptions } from "./open-client.ts";

type Cluster = ReturnType<typeof createCluster>;
type Node = Awaited<ReturnType<Cluster["nodeClient"]>>;

/** A link to a cluster, whose client finds the nodes and follows their changes. */
export class ClusterLink implements Link {
  readonly #cluster: Cluster;
  readonly #settings: LinkSettings;
  readonly #connections = new WeakMap<Node, NodeConnection>();
  #ready: Promise<unknown> | undefined;
  #isClosed = false;

  constructor(urls: readonly string[], settings: LinkSettings) {
    this.#settings = settings;
    const { url: _, ...defaults } = clientOptions(urls[0] ?? "", settings.timeout);
    this.#cluster = createCluster({
      rootNodes: urls.map((url) => ({ url })),
      defaults: { ...defaults, socket: { connectTimeout: settings.timeout } },
      RESP: 2,
    }) as unknown as Cluster;
    // Each command that fails says so itself.
    this.#cluster.on("error", () => {});
  }

  async send(key: string, command: Command): Promise<unknown> {
    return this.#bounded(async () => {
      await this.#connect();
      return this.#cluster.sendCommand(key, false, [...command]);
    });
  }

  async connectionOf(key: string): Promise<Connection> {
    return this.#bounded(async () => {
      await this.#connect();
      const node = (await this.#cluster.getNodeClientForKey(key, false)) as unknown as Node;
      let connection = this.#connections.get(node);
      if (connection?.isCurrent !== true) {
        connection = new NodeConnection(node, this.#settings);
        this.#connections.set(node, connection);
      }
      return connection;
    });
  }

  close(): void {
    this.#isClosed = true;
    if (this.#cluster.isOpen) this.#cluster.destroy();
  }

  /** An attempt that failed is made again by the next command. */
  #connect(): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable("the store is closed"));
    this.#ready ??= this.#cluster.connect().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #bounded<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await inTime(this.#settings.clock, this.#settings.timeout, run());
    } catch (error) {
      throw nameFailure(error);
    }
  }
}

/** A node's client while it has the socket that it has now. */
class NodeConnection implements Connection {
  readonly #node: Node;
  readonly #settings: LinkSettings;
  readonly #epoch: number;

  constructor(node: Node, settings: LinkSettings) {
    this.#node = node;
    this.#settings = settings;
    this.#epoch = node.socketEpoch;
  }

  get isCurrent(): boolean {
    return this.#node.isReady && this.#node.socketEpoch === this.#epoch;
  }

  async send(command: Command): Promise<unknown> {
    const { clock, timeout } = this.#settings;
    try {
      if (!this.isCurrent) throw new StoreUnavailable("the connection to the node was lost");
      const reply = await inTime(clock, timeout, this.#node.sendCommand([...command]));
      if (!this.isCurrent) throw new StoreUnavailable("the connection to the node was lost");
      return reply;
    } catch (error) {
      throw nameFailure(error);
    }
  }
}
