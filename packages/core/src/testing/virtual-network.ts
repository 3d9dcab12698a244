import { resolverBy } from "../resolve/dns-resolver.ts";
import type { Resolver } from "../resolve/resolver.ts";
import { canonicalAddress, isAddressLiteral } from "../transport/host-port.ts";
import { type LegAddress, parseLegAddress } from "../transport/leg-address.ts";
import { drawLadder } from "./draw-ladder.ts";
import { type Duration, milliseconds } from "./duration.ts";
import { Fabric } from "./fabric.ts";
import { type LinkConditions, Links } from "./links.ts";
import { hasRealRequests } from "./real-requests.ts";
import { SeededRandom } from "./seeded-random.ts";
import { track } from "./track.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { VirtualHost } from "./virtual-host.ts";
import { isOfKind, type MessageFilter, type VirtualMessage } from "./virtual-message.ts";
import { type NodeError, type NodeFactory, type NodeOptions, VirtualNode } from "./virtual-node.ts";
import { VirtualTransport } from "./virtual-transport.ts";

/** Options of {@link VirtualNetwork}: a seed, and the conditions of its links. */
export interface VirtualNetworkOptions extends LinkConditions {
  /** Decides all chance here. Default: 1. */
  readonly seed?: number;
  /** Milliseconds since 1970 at the beginning. Default: the beginning of 2026. */
  readonly wall?: number;
}

/**
 * A whole deployment in one process: hosts with addresses, links that delay and lose, partitions, crashes, all on virtual
 * time and by one seed, so that the same seed gives the same run, byte for byte.
 *
 * Time moves from event to event, and only while nothing is at work: promises get their turns first, and files and
 * name look-ups that a handler or a start waits for are awaited. What else is real (a database, a DNS server, a timer)
 * can't be told from a wait for virtual time: wrap it in `track`.
 *
 * @example
 * const net = new VirtualNetwork({ seed: 7, loss: 0.1 });
 * const server = net.node("server", (host) => host.serve({ receiver: myHandler }));
 * const alice = net.node("alice", (host) => host.serve({ legs: ["udp"] }));
 * await net.start();
 * const request = alice.newRequest("MESSAGE", "sip:bob@server");
 * const { status } = await net.until(alice.app.request(request).final);
 * await net.run("40s");
 * net.expectIdle();
 */
export class VirtualNetwork {
  readonly clock: VirtualClock;
  /** For what a test itself leaves to chance; drawing from it changes nothing on the network. */
  readonly random: SeededRandom;
  /** What dispatchers that nodes serve have reported. */
  readonly errors: NodeError[] = [];
  readonly #seed: SeededRandom;
  readonly #fabric: Fabric;
  readonly #resolver: Resolver;
  readonly #nodes = new Map<string, VirtualNode<unknown>>();
  #lives = 0;

  constructor(options: VirtualNetworkOptions = {}) {
    const { seed = 1, wall, ...conditions } = options;
    this.#seed = new SeededRandom(seed);
    this.random = this.#seed.fork("test");
    this.clock = new VirtualClock({
      ...(wall === undefined ? {} : { wall }),
      isBusy: () => hasRealRequests() && this.#isAtWork(),
    });
    this.#fabric = new Fabric(this.clock, new Links(this.clock, this.#seed.fork("links")));
    this.#fabric.links.change(conditions);
    const nothing = async (): Promise<readonly never[]> => [];
    this.#resolver = resolverBy(
      {
        ...{ naptr: nothing, srv: nothing, a: nothing, aaaa: nothing },
        lookup: (host) => this.#lookUp(host),
      },
      { clock: this.clock, random: this.#seed.fork("resolver"), keepFor: 1 },
    );
  }

  /** Every message that was sent, in order, lost ones too. A test may empty it. */
  get log(): VirtualMessage[] {
    return this.#fabric.log;
  }

  get nodes(): readonly VirtualNode<unknown>[] {
    return [...this.#nodes.values()];
  }

  /** A host and what is to run there from `start` on. Names and addresses are each given once. */
  node<App>(name: string, setup: NodeOptions<App> | NodeFactory<App>): VirtualNode<App> {
    const options = typeof setup === "function" ? { start: setup } : setup;
    const address = this.#addressOf(options.address ?? this.#freeAddress());
    if (this.#nodes.has(name)) throw new Error(`there is a node "${name}" already`);
    if (this.#nodeAt(address) !== undefined) throw new Error(`${address} is another node's`);
    const node = new VirtualNode<App>({
      name,
      address,
      names: [name, ...(options.names ?? [])],
      start: options.start,
      newHost: () => this.#newHost(name, address),
    });
    this.#nodes.set(name, node);
    return node;
  }

  /** Starts every node that doesn't run, in the order in which they were made. Time passes where they need it. */
  async start(): Promise<void> {
    for (const node of this.#nodes.values()) {
      if (!node.isRunning) await this.until(node.start());
    }
  }

  /** A transport that belongs to no node, for the `listen` of a dispatcher that a test makes itself. */
  transport(address: LegAddress): VirtualTransport {
    return new VirtualTransport(this.#fabric, parseLegAddress(address), this.clock);
  }

  /** Changes the conditions that are given, on all links that have none of their own. */
  change(conditions: LinkConditions): void {
    this.#fabric.links.change(conditions);
  }

  /** Changes the conditions that are given on the link between two hosts, both ways. */
  between(one: string, other: string, conditions: LinkConditions): void {
    this.#fabric.links.changeBetween(this.#addressOf(one), this.#addressOf(other), conditions);
  }

  /**
   * Lets nothing pass between the hosts on one side and those on the other until `heal`: datagrams are lost, what is sent
   * over connections waits for 60 s, and connections that are opened fail after 10 s. Partitions add up.
   */
  partition(one: readonly string[], other: readonly string[]): void {
    const addresses = (hosts: readonly string[]): string[] =>
      hosts.map((host) => this.#addressOf(host));
    this.#fabric.links.cut(addresses(one), addresses(other));
  }

  /** Ends all partitions. */
  heal(): void {
    this.#fabric.links.heal();
  }

  /** Lets time pass, from event to event. Rejects when it can't, as when timers without a delay follow without end. */
  run(duration: Duration): Promise<void> {
    return this.clock.advance(milliseconds(duration));
  }

  /** Lets what is at work come to rest without time passing. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  /** Lets time pass until a promise has settled, and gives what it gives. Rejects when it takes longer. */
  async until<T>(promise: Promise<T>, within: Duration = "10m"): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    if (await this.clock.advanceUntil(() => isSettled, milliseconds(within))) return promise;
    throw new Error(`the promise has not settled within ${within}`);
  }

  /** Keeps time from moving until a promise has settled that waits for something real. `what` is for messages. */
  hold<T>(promise: Promise<T>, what?: string): Promise<T> {
    return this.clock.hold(promise, what);
  }

  /**
   * The same object, with time held while a promise that a method of its gave is pending: for a store that asks a real
   * database. `name` is for messages.
   */
  track<T extends object>(object: T, name?: string): T {
    return track(this.clock, object, name);
  }

  /** Those messages of the log that fit. */
  messages(filter: MessageFilter = {}): readonly VirtualMessage[] {
    const { from, to, fate } = filter;
    return this.log.filter(
      (message) =>
        (from === undefined || this.#isAt(message.from, from)) &&
        (to === undefined || this.#isAt(message.to, to)) &&
        (fate === undefined || message.fate === fate) &&
        isOfKind(message, filter),
    );
  }

  /** A diagram of who sent what to whom, and when, for a person: of the whole log, or of some messages of it. */
  ladder(messages: readonly VirtualMessage[] = this.log): string {
    return drawLadder(messages, (hostPort) => {
      const node = this.nodes.find(({ name }) => this.#isAt(hostPort, name));
      return node?.name ?? hostPort;
    });
  }

  /**
   * Throws an error that names every gauge of every node that isn't zero: transactions, waiting requests, pending
   * handlers, connections. `except` leaves some out: connections of phones that stay, for example.
   */
  expectIdle({ except = [] }: { readonly except?: readonly string[] } = {}): void {
    const alive = this.nodes.flatMap((node) =>
      Object.entries(node.gauges())
        .filter(([gauge, count]) => count !== 0 && !except.includes(gauge))
        .map(([gauge, count]) => `${node.name}: ${gauge} ${count}`),
    );
    if (alive.length > 0)
      throw new Error(`not idle at ${this.clock.now()} ms: ${alive.join(", ")}`);
  }

  #newHost(name: string, address: string): VirtualHost {
    this.#lives += 1;
    return new VirtualHost({
      name,
      address,
      fabric: this.#fabric,
      random: this.#seed.fork(`${name}/${this.#lives}`),
      resolver: this.#resolver,
      report: (error) => this.errors.push({ node: name, at: this.clock.now(), error }),
    });
  }

  /** Whether a handler, or the start of a node, is at something. */
  #isAtWork(): boolean {
    for (const node of this.#nodes.values()) {
      if (node.isStarting || node.pendingHandlers > 0) return true;
    }
    return false;
  }

  #freeAddress(): string {
    for (let host = 1; host < 255; host++) {
      if (this.#nodeAt(`192.0.2.${host}`) === undefined) return `192.0.2.${host}`;
    }
    throw new Error("192.0.2.0/24 is used up: give further nodes their addresses");
  }

  #nodeAt(address: string): VirtualNode<unknown> | undefined {
    return this.nodes.find((node) => node.address === address);
  }

  async #lookUp(host: string): Promise<readonly { readonly address: string }[]> {
    return this.nodes.filter(({ names }) => names.includes(host));
  }

  #addressOf(host: string): string {
    const node = this.#nodes.get(host);
    if (node === undefined && !isAddressLiteral(host))
      throw new Error(`there is no node "${host}"`);
    return node?.address ?? canonicalAddress(host);
  }

  #isAt(hostPort: string, host: string): boolean {
    const address = this.#nodes.get(host)?.address ?? host;
    const bare = address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
    return hostPort === host || hostPort.startsWith(`${bare}:`);
  }
}
