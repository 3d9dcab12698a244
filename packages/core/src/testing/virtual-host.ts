import type { Protocol } from "../arrival.ts";
import type { Clock, Timer } from "../clock.ts";
import { Dispatcher } from "../dispatcher/dispatcher.ts";
import type { DispatcherOptions } from "../dispatcher/options.ts";
import type { SipError } from "../errors.ts";
import type { Method } from "../message/method.ts";
import { Request } from "../message/request.ts";
import type { Resolver } from "../resolve/resolver.ts";
import { formatHostPort } from "../transport/host-port.ts";
import { defaultPorts, type LegOptions, parseLegAddress } from "../transport/leg-address.ts";
import type { Fabric } from "./fabric.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { VirtualTransport } from "./virtual-transport.ts";

/** A leg at a host's address: a protocol, on its own port or another: `"udp"`, `"tcp:5070"`. Port 0: any free one. */
export type HostLeg = Protocol | `${Protocol}:${number}`;

/** Options of {@link VirtualHost.serve}: a dispatcher's, without what the network gives. */
export interface HostServerOptions
  extends Omit<DispatcherOptions, "legs" | "clock" | "random" | "resolver"> {
  /** Default: udp and tcp on 5060. */
  readonly legs?: readonly (
    | HostLeg
    | (Omit<LegOptions, "listen"> & { readonly listen: HostLeg })
  )[];
  /** Default: one that knows the network's nodes by their names. */
  readonly resolver?: Resolver;
}

/** One life of a node: what its factory builds with. After a crash nothing of it has any effect. */
export class VirtualHost {
  readonly name: string;
  readonly address: string;
  /** The network's time; after a crash its timers never fire. */
  readonly clock: Clock;
  /** Chance of this life alone, decided by the network's seed. */
  readonly random: SeededRandom;
  readonly resolver: Resolver;
  readonly #fabric: Fabric;
  readonly #report: (error: SipError) => void;
  readonly #transports: VirtualTransport[] = [];
  readonly #servers: Dispatcher[] = [];
  #isDead = false;

  constructor(about: {
    readonly name: string;
    readonly address: string;
    readonly fabric: Fabric;
    readonly random: SeededRandom;
    readonly resolver: Resolver;
    readonly report: (error: SipError) => void;
  }) {
    this.name = about.name;
    this.address = about.address;
    this.random = about.random;
    this.resolver = about.resolver;
    this.#fabric = about.fabric;
    this.#report = about.report;
    this.clock = new HostClock(about.fabric.clock, () => this.#isDead);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** The dispatchers that `serve` has made. */
  get servers(): readonly Dispatcher[] {
    return this.#servers;
  }

  /** A transport at this host's address, for the `listen` of a leg. */
  transport(leg: HostLeg): VirtualTransport {
    const colon = leg.indexOf(":");
    const protocol = (colon < 0 ? leg : leg.slice(0, colon)) as Protocol;
    const port = colon < 0 ? defaultPorts[protocol] : Number(leg.slice(colon + 1));
    const where = parseLegAddress(`${protocol}:${formatHostPort(this.address, port)}`);
    const transport = new VirtualTransport(this.#fabric, where, this.clock);
    this.#transports.push(transport);
    return transport;
  }

  /**
   * A dispatcher on this host that listens already. What it reports is in the network's `errors`, and goes to `onError`
   * where one is given.
   */
  async serve(options: HostServerOptions = {}): Promise<Dispatcher> {
    const { legs = ["udp", "tcp"], onError, ...rest } = options;
    const server = new Dispatcher({
      resolver: this.resolver,
      ...rest,
      clock: this.clock,
      random: this.random,
      legs: legs.map((leg) =>
        typeof leg === "string"
          ? { listen: this.transport(leg) }
          : { ...leg, listen: this.transport(leg.listen) },
      ),
      onError: (error, at) => {
        if (this.#isDead) return;
        this.#report(error);
        onError?.(error, at);
      },
    });
    this.#servers.push(server);
    await server.listen();
    return server;
  }

  /**
   * A request with all that one needs (To as the URI says, From and Contact of this host, Call-ID, CSeq 1), to send by
   * `server.request`. Headers that are given take the place of these.
   *
   * RFC 3261 §8.1.1
   */
  newRequest(
    method: Method,
    uri: string,
    headers: Readonly<Record<string, string | readonly string[]>> = {},
  ): Request {
    const self = `sip:${this.name}@${formatHostPort(this.address)}`;
    const request = new Request(method, uri, {
      headers: {
        "Max-Forwards": "70",
        From: `<${self}>;tag=${this.random.token()}`,
        To: `<${uri}>`,
        "Call-ID": this.random.token(),
        CSeq: `1 ${method}`,
        Contact: `<${self}>`,
      },
    });
    for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
    return request;
  }

  /** @internal */
  crash(): void {
    this.#isDead = true;
    for (const transport of this.#transports) transport.crash();
  }
}

/** A host's time: its timers die with it. */
class HostClock implements Clock {
  readonly #clock: Clock;
  readonly #isDead: () => boolean;

  constructor(clock: Clock, isDead: () => boolean) {
    this.#clock = clock;
    this.#isDead = isDead;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.wall();
  }

  setTimer(delay: number, run: () => void): Timer {
    if (this.#isDead()) return { cancel: () => undefined };
    return this.#clock.setTimer(delay, () => {
      if (!this.#isDead()) run();
    });
  }
}
