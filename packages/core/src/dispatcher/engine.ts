import type { Peer } from "../arrival.ts";
import type { AnyHandler, Packet } from "../chain/handler.ts";
import { ReceiveChain } from "../chain/receive-chain.ts";
import { type Clock, systemClock } from "../clock.ts";
import { SipError } from "../errors.ts";
import { parsePacket } from "../message/parse.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import { type Random, systemRandom } from "../random.ts";
import { dnsResolver } from "../resolve/dns-resolver.ts";
import { routableAddresses } from "../resolve/hop-policy.ts";
import type { Resolver } from "../resolve/resolver.ts";
import { type PacketEvent, packetChannel } from "../trace/packet-channel.ts";
import { SeenAnswers } from "../trace/seen-answers.ts";
import type { ClientMachine } from "../transaction/client-machine.ts";
import type { Outlet } from "../transaction/outlet.ts";
import { TransactionTable } from "../transaction/table.ts";
import { TransportLeg } from "../transport/leg.ts";
import { asSipError } from "./as-sip-error.ts";
import { Counters } from "./counters.ts";
import { Domains } from "./domains.ts";
import { Flows } from "./flows.ts";
import { HopCheck } from "./hop-check.ts";
import type { InboundHost } from "./inbound.ts";
import { NextHops } from "./next-hop.ts";
import type { DispatcherOptions } from "./options.ts";
import type { OutboundHost } from "./outbound.ts";
import { OutgoingProxies } from "./outgoing-proxies.ts";
import { RouteTokens } from "./route-tokens.ts";
import { secretRing } from "./secret-ring.ts";
import { SetAside } from "./set-aside.ts";
import { ToTags } from "./to-tags.ts";
import { answerUnclaimed } from "./unclaimed.ts";
import { Watch } from "./watch.ts";

const SECRET_BYTES = 32;

/** What a dispatcher is made of, wired from its options: the ways in and out work on this. */
export class Engine implements InboundHost, OutboundHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly t1: number;
  readonly node: string;
  readonly epoch: string;
  readonly domains: Domains;
  readonly legs: readonly TransportLeg[];
  readonly flows: Flows;
  readonly setAside: SetAside;
  readonly resolver: Resolver;
  readonly nextHops: NextHops;
  readonly table: TransactionTable;
  readonly watch: Watch;
  readonly tags: ToTags;
  readonly tokens: RouteTokens;
  readonly counters: Counters = new Counters();
  receiver: ReceiveChain;
  /** New requests are served; `false` before the handlers have started and when they are about to end. */
  isServing = false;
  /** Handlers have started: before that nothing goes to them. */
  hasStarted = false;
  /** The legs are open. */
  isOpen = false;
  /** Called when no transaction is pending any more. */
  whenIdle: (() => void) | undefined;
  readonly #onError: NonNullable<DispatcherOptions["onError"]>;
  readonly #answers = new SeenAnswers();
  readonly #ownResolver: Resolver | undefined;

  constructor(options: DispatcherOptions) {
    const { clock = systemClock, random = systemRandom(), t1 = 500, limits = {} } = options;
    const { transactionBytes, ...streamLimits } = limits;
    const secrets = secretRing(options.secret ?? random.bytes(SECRET_BYTES));
    if (options.legs.length === 0)
      throw new SipError("SIP_BAD_OPTION", "legs must name at least one leg");
    if (!(t1 > 0))
      throw new SipError("SIP_BAD_OPTION", "t1 must be a positive number of milliseconds");
    if (transactionBytes !== undefined && !(transactionBytes > 0)) {
      throw new SipError("SIP_BAD_OPTION", "limits.transactionBytes must be a positive number");
    }
    this.clock = clock;
    this.random = random;
    this.t1 = t1;
    this.node = options.node ?? random.token();
    this.epoch = random.token();
    this.domains = new Domains(options.domains ?? [], options.aliases ?? []);
    let connections = 0;
    const ids = (): number => ++connections;
    this.legs = options.legs.map(
      (leg) => new TransportLeg(leg, { clock, ids, limits: streamLimits, node: this.node }),
    );
    this.flows = new Flows(this.node, this.epoch, this.legs);
    this.resolver = options.resolver ?? dnsResolver({ clock, random });
    this.#ownResolver = options.resolver === undefined ? this.resolver : undefined;
    this.setAside = new SetAside(clock);
    const { legs, flows, setAside } = this;
    const proxies = new OutgoingProxies(options);
    const check = new HopCheck(this, options.mayReach ?? routableAddresses());
    this.nextHops = new NextHops({
      legs,
      flows,
      resolver: this.resolver,
      setAside,
      proxies,
      check,
    });
    const count = (name: string): void => this.count(name);
    this.table = new TransactionTable({
      clock,
      t1,
      maxBytes: transactionBytes,
      count,
      whenIdle: () => this.whenIdle?.(),
      trace: (wire, outlet, retransmission) => this.#traceWire(wire, outlet, retransmission),
      node: this.node,
    });
    this.watch = new Watch(clock, t1, this.table.untilT2);
    this.tags = new ToTags(secrets[0]);
    this.tokens = new RouteTokens(secrets);
    this.receiver = asChain(options.receiver ?? []);
    this.#onError = options.onError ?? printError;
  }

  count(name: string): void {
    this.counters.count(name);
  }

  report(error: SipError, at: { readonly packet?: Packet; readonly handler?: string } = {}): void {
    const handler = at.handler ?? (error as { handler?: string }).handler;
    try {
      this.#onError(error, handler === undefined ? at : { ...at, handler });
    } catch (failure) {
      // Who is told of errors must not bring the server down by one of his own.
      this.count("failedErrorHandlers");
      printError(asSipError(failure));
    }
  }

  /** Gives up look-ups, or they would keep the process alive; those of a resolver that was given are its giver's. */
  closeResolver(): void {
    this.#ownResolver?.close?.();
  }

  beforeSend(packet: Packet, leg: TransportLeg, to: Peer): void {
    if (!this.receiver.hasSenders) return;
    try {
      this.receiver.beforeSend(packet, leg, to);
    } catch (error) {
      this.report(asSipError(error), { packet });
    }
  }

  sending(packet: Packet, leg: TransportLeg, peer: Peer, owner?: object): void {
    if (!packetChannel.hasSubscribers) return;
    const again =
      owner !== undefined && !packet.isRequest && this.#answers.isRepeated(owner, packet);
    this.#publish("out", packet, { leg, peer }, again, packet.toWire().length);
  }

  arrived(request: Request, leg: TransportLeg, peer: Peer, size: number, again: boolean): void {
    if (packetChannel.hasSubscribers) this.#publish("in", request, { leg, peer }, again, size);
  }

  answered(
    response: Response,
    leg: TransportLeg,
    peer: Peer,
    size: number,
    client: ClientMachine | undefined,
  ): void {
    if (!packetChannel.hasSubscribers) return;
    const again =
      client !== undefined &&
      (client.state === "completed" || this.#answers.isRepeated(client, response));
    this.#publish("in", response, { leg, peer }, again, size);
  }

  answerUnclaimed(request: Request): Response {
    return answerUnclaimed(request, this.domains, this.receiver.allows);
  }

  #publish(
    direction: PacketEvent["direction"],
    packet: Packet,
    { leg, peer }: Outlet,
    retransmission: boolean,
    size: number,
  ): void {
    const { clock, node } = this;
    const at = clock.now();
    packetChannel.publish({ at, node, direction, packet, retransmission, size, leg, peer });
  }

  /** What a transaction sends by itself is there as text alone, and is parsed only for those who listen. */
  #traceWire(wire: string, outlet: Outlet, retransmission: boolean): void {
    if (!packetChannel.hasSubscribers) return;
    let packet: Packet;
    try {
      packet = parsePacket(wire);
    } catch {
      return; // a handler has made it so, and it was told of when it was first sent
    }
    this.#publish("out", packet, outlet, retransmission, wire.length);
  }
}

/** Any receiver as one chain. */
export function asChain(receiver: AnyHandler | readonly AnyHandler[]): ReceiveChain {
  if (receiver instanceof ReceiveChain) return receiver;
  const list: readonly AnyHandler[] =
    "length" in receiver && Array.isArray(receiver) ? receiver : [receiver as AnyHandler];
  return new ReceiveChain(list);
}

/** The default `onError`: one line that a terminal can show, without what the peer sent. */
function printError(error: SipError): void {
  process.stderr.write(`sipkit: ${error.code}: ${JSON.stringify(error.message)}\n`);
}
