import type { Leg, Peer } from "../arrival.ts";
import type { AnyHandler, Packet } from "../chain/handler.ts";
import type {
  ClientTransaction,
  DeliverOptions,
  RequestOptions,
  RouteOptions,
  Server,
} from "../chain/server.ts";
import type { Clock } from "../clock.ts";
import { SipError } from "../errors.ts";
import type { Method } from "../message/method.ts";
import type { Request } from "../message/request.ts";
import type { Random } from "../random.ts";
import type { FlowRef } from "../transport/flow.ts";
import type { TlsOptions } from "../transport/tls-options.ts";
import { asChain, Engine } from "./engine.ts";
import { Inbound } from "./inbound.ts";
import { LifeCycle } from "./life-cycle.ts";
import type { DispatcherOptions } from "./options.ts";
import { Outbound } from "./outbound.ts";
import { allowedMethods } from "./unclaimed.ts";

/**
 * A SIP server: its legs, its transactions, and the chain that its packets walk.
 *
 * @example
 * const server = new Dispatcher({
 *   legs: ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"],
 *   domains: ["example.com"],
 *   receiver: [new Authorize({ realm: "example.com", credentials: { alice: "secret" } }), new Registrar(), new Proxy()],
 * });
 * await server.listen();
 */
export class Dispatcher implements Server {
  readonly #engine: Engine;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  readonly #life: LifeCycle;

  /** Throws a `SipError` (`SIP_BAD_OPTION`, `SIP_BAD_LEG`, `SIP_BAD_DOMAIN`) for bad options. */
  constructor(options: DispatcherOptions) {
    this.#engine = new Engine(options);
    this.#inbound = new Inbound(this.#engine);
    this.#outbound = new Outbound(this.#engine);
    this.#life = new LifeCycle(this.#engine, this.#inbound, this.#outbound);
  }

  get clock(): Clock {
    return this.#engine.clock;
  }

  get random(): Random {
    return this.#engine.random;
  }

  /** Addresses and ports are the real ones from `listen()` on. */
  get legs(): readonly Leg[] {
    return this.#engine.legs;
  }

  get domains(): readonly string[] {
    return this.#engine.domains.names;
  }

  get allows(): readonly Method[] {
    return allowedMethods(this.#engine.receiver.allows);
  }

  get node(): string {
    return this.#engine.node;
  }

  get epoch(): string {
    return this.#engine.epoch;
  }

  get t1(): number {
    return this.#engine.t1;
  }

  /** Replaces what packets walk through; a receiver that was given before is the caller's to close. Only before `listen()`. */
  setReceiver(receiver: AnyHandler | readonly AnyHandler[]): void {
    if (!this.#life.isNew) throw new SipError("SIP_STATE", "setReceiver comes before listen");
    this.#engine.receiver = asChain(receiver);
  }

  /**
   * Opens every leg, or none: when one can't be had, those that were opened are closed and the promise rejects with its
   * `TransportError`. Then the handlers start; requests that come before they have get a 503. Rejects with `SIP_STATE`
   * when the dispatcher is closed meanwhile.
   */
  listen(): Promise<readonly Leg[]> {
    return this.#life.listen(this);
  }

  /**
   * Gives a tls or wss leg other certificates without a restart: for handshakes from now on, those by `tls.names` included;
   * connections that are there live on. Throws a `SipError` (`SIP_BAD_OPTION`), and the old ones stay, when they are bad,
   * when `clientCertificate` would change, or when the leg is none of these.
   */
  setCertificates(leg: Leg, tls: TlsOptions): void {
    const found = this.#engine.legs.find((own) => own === leg);
    if (found === undefined) throw new SipError("SIP_BAD_OPTION", "that is no leg of this server");
    found.replaceTls(tls);
  }

  isLocal(uri: string): boolean {
    return this.#engine.domains.isLocal(uri);
  }

  addressOfRecord(uri: string): string | undefined {
    return this.#engine.domains.addressOfRecord(uri);
  }

  flowOf(request: Request): FlowRef | undefined {
    const { arrival } = request;
    return arrival && this.#engine.flows.name(arrival.leg, arrival.from);
  }

  isAlive(flow: FlowRef): boolean {
    return this.#engine.flows.find(flow) !== undefined;
  }

  flowTo(leg: Leg, to: Peer): FlowRef {
    return this.#engine.flows.name(leg, to);
  }

  signRoute({ request, side, leg, flow }: RouteOptions): string {
    return routeUri(this.#engine.tokens.sign(request, side, flow), leg, ";lr");
  }

  signPath(flow: FlowRef, leg: Leg): string {
    return routeUri(this.#engine.tokens.signFlow(flow), leg, ";lr;ob");
  }

  request(request: Request, options: RequestOptions = {}): ClientTransaction {
    return this.#outbound.request(request, options);
  }

  deliver(packet: Packet, where: DeliverOptions = {}): void {
    this.#outbound.deliver(packet, where);
  }

  count(name: string): void {
    this.#engine.count(name);
  }

  report(error: SipError, at?: { readonly packet?: Packet; readonly handler?: string }): void {
    this.#engine.report(error, at);
  }

  /** How much is alive, by name (`docs/limits.md`): all zero when the server is idle. */
  stats(): Readonly<Record<string, number>> {
    const { table, watch, legs, setAside } = this.#engine;
    const all: Record<string, number> = {
      ...table.stats,
      waitingRequests: watch.size,
      queuedRequests: this.#inbound.waiting,
      pendingHandlers: this.#inbound.pending,
      unresolvedRequests: this.#outbound.unresolved,
      targetsSetAside: setAside.size,
    };
    for (const leg of legs) add(all, leg.stats());
    return all;
  }

  /** How often things happened since the start, by name: refusals, drops, faults (`docs/limits.md`). */
  counters(): Readonly<Record<string, number>> {
    const all: Record<string, number> = Object.fromEntries(this.#engine.counters.entries());
    for (const leg of this.#engine.legs) add(all, leg.counters());
    add(all, this.#engine.resolver.counters?.() ?? {});
    return all;
  }

  /**
   * Ends the server. No leg takes new connections any more, and new requests outside a dialog get a 503; what is pending,
   * requests of ours too, has `within` milliseconds (default: 0) to come to its end. Then handlers, transactions and legs
   * are closed. Without anything pending that is at once.
   *
   * Rejects with the first error of a handler's `close`, when all is closed. Called again it gives the same promise, and a
   * smaller `within` counts from then.
   */
  close({ within = 0 }: { readonly within?: number } = {}): Promise<void> {
    return this.#life.close(within);
  }
}

function add(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

function routeUri(token: string, leg: Leg, params: string): string {
  // RFC 7118 §5.2: plain or secure, a WebSocket is "ws" in a URI.
  const name = leg.protocol === "wss" ? "ws" : leg.protocol;
  const transport = name === "udp" ? "" : `;transport=${name}`;
  return `<sip:${token}@${leg.sentBy}${transport}${params}>`;
}
