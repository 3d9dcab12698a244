import {
  type AnyHandler,
  contact,
  Dispatcher,
  type Handler,
  identity,
  type LegAddress,
  type Method,
  type Packet,
  type Resolver,
  type Server,
  type SipError,
  type Target,
  targetGone,
  targets,
  type Verdict,
} from "@sipkit/core";
import {
  type VirtualClock,
  VirtualNetwork,
  type VirtualNetworkOptions,
  type VirtualTransport,
} from "@sipkit/core/testing";
import { Proxy, type ProxyOptions } from "../proxy.ts";
import { Phone } from "./phone.ts";

/** Stands for an authenticator: `X-User` is believed. */
class Believer implements Handler {
  receive(packet: Packet): Verdict {
    const user = packet.isRequest ? packet.headers.get("x-user") : undefined;
    if (user !== undefined) {
      packet.set(identity, {
        user,
        realm: "example.com",
        addressOfRecord: `sip:${user}@example.com`,
        scheme: "test",
      });
    }
    return undefined;
  }
}

/** Stands for a registrar: keeps what REGISTER brings, by the rules that a proxy depends on. */
export class Locator implements Handler {
  readonly allows: readonly Method[] = ["REGISTER"];
  readonly bindings: Map<string, Target[]> = new Map();
  /** What the proxy has found nobody at. */
  readonly gone: Target[] = [];
  #server: Server | undefined;

  start(server: Server): void {
    this.#server = server;
  }

  receive(packet: Packet): Verdict {
    const server = this.#server;
    if (server === undefined || !packet.isRequest) return undefined;
    if (packet.method === "REGISTER") {
      const user = server.addressOfRecord(packet.to.uri);
      if (user === undefined || !server.isLocal(packet.uri)) return undefined;
      const known = this.bindings.get(user) ?? [];
      const flow = server.flowOf(packet);
      for (const value of packet.headers.readAll(contact)) {
        if (value === "*") continue;
        const instance = value.params.get("+sip.instance");
        const isOwn = /@(192\.0\.2\.1|example\.com)([:;]|$)/.test(value.uri);
        known.push({
          uri: value.uri,
          q: value.q ?? 1,
          route: [],
          // A Contact that isn't the sender's own has no flow.
          ...(flow === undefined || isOwn ? {} : { flow }),
          ...(instance === undefined ? {} : { instance }),
          expiresAt: server.clock.wall() + 3_600_000,
        });
      }
      this.bindings.set(user, known);
      return packet.createResponse(200);
    }
    const user = server.addressOfRecord(packet.uri);
    const found = user === undefined ? undefined : this.bindings.get(user);
    if (found !== undefined) packet.set(targets, found);
    packet.set(targetGone, (target) => this.gone.push(target));
    return undefined;
  }
}

/** Of the proxy, and of what is around it. */
export interface SceneOptions extends ProxyOptions, VirtualNetworkOptions {
  /** Handlers before the look-up. */
  readonly before?: readonly AnyHandler[];
  readonly resolver?: Resolver;
  /** Stands in the place of the `Proxy`. */
  readonly proxy?: AnyHandler;
  /** Where the proxy is, with a leg of each protocol at each. Default: 192.0.2.1. */
  readonly addresses?: readonly string[];
}

/** A network with one proxy at 192.0.2.1, and phones. */
export class Scene {
  readonly network: VirtualNetwork;
  readonly clock: VirtualClock;
  readonly locator: Locator = new Locator();
  /** Everything that a dispatcher reported. */
  readonly errors: SipError[] = [];
  readonly server: Dispatcher;
  /** The servers' transports, as `tcp:192.0.2.1`. */
  readonly transports: Map<string, VirtualTransport> = new Map();
  readonly #phones: Phone[] = [];

  private constructor({
    before = [],
    addresses = ["192.0.2.1"],
    resolver,
    proxy,
    ...options
  }: SceneOptions) {
    this.network = new VirtualNetwork(options);
    this.clock = this.network.clock;
    const receiver = [new Believer(), ...before, this.locator, proxy ?? new Proxy(options)];
    this.server = this.dispatcher(addresses, "example.com", receiver, resolver);
  }

  static async start(options: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene(options);
    await scene.server.listen();
    return scene;
  }

  /** A server on the network. */
  dispatcher(
    address: string | readonly string[],
    domain: string,
    receiver: readonly AnyHandler[],
    resolver?: Resolver,
  ): Dispatcher {
    return new Dispatcher({
      clock: this.clock,
      domains: [domain],
      legs: [address].flat().flatMap((host) =>
        (["udp", "tcp"] as const).map((protocol) => {
          const listen = this.network.transport(`${protocol}:${host}:5060`);
          this.transports.set(`${protocol}:${host}`, listen);
          return { listen };
        }),
      ),
      receiver,
      ...(resolver === undefined ? {} : { resolver }),
      onError: (error) => this.errors.push(error),
    });
  }

  async phone(
    name: string,
    protocol: "udp" | "tcp" = "udp",
    host = `192.0.2.${this.#phones.length + 10}`,
  ): Promise<Phone> {
    const address: LegAddress = `${protocol}:${host}:5060`;
    const phone = new Phone(this, name, address);
    this.#phones.push(phone);
    await phone.dispatcher.listen();
    return phone;
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }
}
