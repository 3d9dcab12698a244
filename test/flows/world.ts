import { isIP } from "node:net";
import { setTimeout as later } from "node:timers/promises";
import {
  Dispatcher,
  type DispatcherOptions,
  type LegAddress,
  type NextHop,
  type Protocol,
  parseSipUri,
  type Resolver,
  type SipError,
} from "@sipkit/core";
import { VirtualNetwork } from "@sipkit/core/testing";
import { ca, certificate } from "../certificates/certificates.ts";
import type { Column } from "./columns.ts";

/** A host of a flow. */
export interface Host {
  /** The RFC's; on sockets it is 127.0.0.1. */
  readonly address: string;
  /** The name that goes into Via, with the port that the RFC prints. */
  readonly sentBy: string;
  /** What it speaks instead of the column's protocol, and the sent-by for each. */
  readonly legs?: readonly (readonly [protocol: Protocol, sentBy: string])[];
  /** The other names that lead to it. */
  readonly names?: readonly string[];
}

/** What runs on a host: a dispatcher's options without what the world gives. */
type HostOptions = Pick<
  DispatcherOptions,
  "domains" | "aliases" | "receiver" | "node" | "domainToProxy"
>;

/** So long that nothing is sent twice on sockets of one machine, and not over T2, 4 s. */
const REAL_T1 = 3_000;
/** A flow that got stuck; vitest's own time-out says less. */
const STUCK = 12_000;

/** Where a flow runs: hosts with names, over one transport. */
export interface World {
  readonly errors: readonly SipError[];
  serve(name: string, host: Host, options: HostOptions): Promise<Dispatcher>;
  /** Waits; on the virtual network, time passes meanwhile. */
  until<T>(promise: Promise<T>, what: () => string): Promise<T>;
  /** Lets all transactions end on the virtual network; does nothing on sockets. */
  rest(): Promise<void>;
  close(): Promise<void>;
}

export function worldOf(column: Column): World {
  return column.isVirtual ? new VirtualWorld(column) : new RealWorld(column);
}

/**
 * Finds hosts by their names, whatever port the URI gives: all of them speak one protocol, at one port each. A name that several
 * have leads to each of them, in order.
 */
class Directory {
  readonly resolver: Resolver;
  readonly #dispatchers = new Map<string, Dispatcher[]>();

  constructor() {
    this.resolver = { resolve: (uri, options) => this.#find(uri, options?.protocols ?? []) };
  }

  add({ address, sentBy, names = [] }: Host, dispatcher: Dispatcher): void {
    for (const name of [address, hostOf(sentBy), ...names]) {
      this.#dispatchers.set(name, [...(this.#dispatchers.get(name) ?? []), dispatcher]);
    }
  }

  get all(): readonly Dispatcher[] {
    return [...new Set([...this.#dispatchers.values()].flat())];
  }

  #find(uri: string, protocols: readonly Protocol[]): readonly NextHop[] {
    const { host } = parseSipUri(uri);
    // The name that was asked for is what the other side's certificate must prove.
    const domain = isIP(host) === 0 ? { domain: host } : {};
    const found = this.#dispatchers.get(host);
    if (found === undefined) throw new Error(`nobody is called ${host}`);
    return found.flatMap(({ legs }) => {
      const leg = legs.find((each) => protocols.includes(each.protocol));
      if (leg === undefined) return [];
      const { protocol, address, port } = leg;
      return [{ protocol, address, port, ...domain }];
    });
  }
}

class VirtualWorld implements World {
  readonly #network = new VirtualNetwork();
  readonly #directory = new Directory();
  readonly #column: Column;

  constructor(column: Column) {
    this.#column = column;
  }

  get errors(): readonly SipError[] {
    return this.#network.errors.map(({ error }) => error);
  }

  async serve(name: string, host: Host, options: HostOptions): Promise<Dispatcher> {
    const { resolver } = this.#directory;
    const legs = legsOf(host, this.#column).map(([listen, advertise]) => ({ listen, advertise }));
    const node = this.#network.node(name, {
      address: host.address,
      start: (virtual) => virtual.serve({ ...options, resolver, legs }),
    });
    const dispatcher = await this.#network.until(node.start());
    this.#directory.add(host, dispatcher);
    return dispatcher;
  }

  async until<T>(promise: Promise<T>, what: () => string): Promise<T> {
    try {
      return await this.#network.until(promise, "5m");
    } catch (cause) {
      throw new Error(what(), { cause });
    }
  }

  async rest(): Promise<void> {
    await this.#network.run("40s");
    this.#network.expectIdle({ except: ["connections"] });
  }

  async close(): Promise<void> {
    await Promise.all(this.#directory.all.map((dispatcher) => dispatcher.close()));
  }
}

class RealWorld implements World {
  readonly errors: SipError[] = [];
  readonly #directory = new Directory();
  readonly #column: Column;

  constructor(column: Column) {
    this.#column = column;
  }

  async serve(_name: string, host: Host, options: HostOptions): Promise<Dispatcher> {
    const legs = legsOf(host, this.#column).map(([protocol, advertise]) => {
      const listen: LegAddress = `${protocol}:127.0.0.1:0`;
      const isSecure = protocol === "tls" || protocol === "wss";
      const tls = isSecure ? { tls: { ...certificate(organisationOf(host)), ca } } : {};
      return { listen, advertise, ...tls };
    });
    const dispatcher = new Dispatcher({
      ...options,
      resolver: this.#directory.resolver,
      t1: REAL_T1,
      legs,
      onError: (error) => this.errors.push(error),
    });
    await dispatcher.listen();
    this.#directory.add(host, dispatcher);
    return dispatcher;
  }

  async until<T>(promise: Promise<T>, what: () => string): Promise<T> {
    const settled = new AbortController();
    const stuck = later(STUCK, undefined, { signal: settled.signal }).then(() => {
      throw new Error(what());
    });
    try {
      return await Promise.race([promise, stuck]);
    } finally {
      stuck.catch(() => undefined);
      settled.abort();
    }
  }

  async rest(): Promise<void> {}

  async close(): Promise<void> {
    await Promise.all(this.#directory.all.map((dispatcher) => dispatcher.close()));
  }
}

function legsOf(
  { legs, sentBy }: Host,
  { protocol }: Column,
): readonly (readonly [protocol: Protocol, sentBy: string])[] {
  return legs ?? [[protocol, sentBy]];
}

function hostOf(sentBy: string): string {
  return sentBy.split(":")[0] ?? "";
}

/** Whose certificate proves a host's names: `atlanta` for `ss1.atlanta.example.com`. A browser shows its server's. */
function organisationOf({ sentBy }: Host): string {
  return /(\w+)(?:\.example)?\.com/.exec(sentBy)?.[1] ?? "proxy";
}
