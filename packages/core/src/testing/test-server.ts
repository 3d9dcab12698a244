import type { Connection, Peer, Protocol } from "../arrival.ts";
import type { AnyHandler, Claim, Handler, Outcome, Packet, Verdict } from "../chain/handler.ts";
import { claimant } from "../chain/link.ts";
import { ReceiveChain } from "../chain/receive-chain.ts";
import { isPending } from "../chain/verdict.ts";
import { Dispatcher } from "../dispatcher/dispatcher.ts";
import type { DispatcherOptions } from "../dispatcher/options.ts";
import type { SipError } from "../errors.ts";
import { parsePacket } from "../message/parse.ts";
import { type LegAddress, parseLegAddress } from "../transport/leg-address.ts";
import type { Transport, TransportSink } from "../transport/transport.ts";
import { completeRequest } from "./complete.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What became of a packet. */
export interface Answer {
  /** What the chain said; `undefined` when nobody claimed it, when a handler threw, or when it never got there. */
  readonly verdict: Claim | undefined;
  /** The name of the handler that claimed it. */
  readonly by: string | undefined;
  /** What was sent meanwhile, in order. */
  readonly sent: readonly Packet[];
}

/** Where a packet comes from. */
export interface AskOptions {
  /** Default: the sender's protocol, `192.0.2.100` and port 5060. */
  readonly from?: Partial<Peer>;
}

/** Options of {@link TestServer}: a dispatcher's, and where it listens. */
export interface TestServerOptions extends Omit<DispatcherOptions, "legs" | "receiver"> {
  /** Default: `udp:192.0.2.1:5060`. Nothing is opened. */
  readonly leg?: LegAddress;
}

/**
 * A real dispatcher around the handlers under test, with no socket below it and virtual time. Its domain is example.com
 * unless told otherwise.
 *
 * @example
 * const server = await TestServer.start([authorize, registrar]);
 * const { sent } = await server.ask("REGISTER sip:example.com SIP/2.0");
 */
export class TestServer {
  readonly dispatcher: Dispatcher;
  readonly clock: VirtualClock;
  /** Everything that was reported to `onError`. */
  readonly errors: SipError[] = [];
  readonly #transport: LoopTransport;
  readonly #recorder: Recorder;

  private constructor(handler: AnyHandler | readonly AnyHandler[], options: TestServerOptions) {
    const { leg = "udp:192.0.2.1:5060", clock, ...rest } = options;
    this.clock = clock instanceof VirtualClock ? clock : new VirtualClock();
    this.#transport = new LoopTransport(leg);
    this.#recorder = new Recorder(handler);
    this.dispatcher = new Dispatcher({
      domains: ["example.com"],
      onError: (error) => this.errors.push(error),
      ...rest,
      clock: clock ?? this.clock,
      legs: [{ listen: this.#transport }],
      receiver: this.#recorder,
    });
  }

  static async start(
    handler: AnyHandler | readonly AnyHandler[],
    options: TestServerOptions = {},
  ): Promise<TestServer> {
    const server = new TestServer(handler, options);
    await server.dispatcher.listen();
    return server;
  }

  /** Everything that was sent since the last time that `ask` or this looked. */
  takeSent(): readonly Packet[] {
    return this.#transport.sent.splice(0);
  }

  /**
   * Lets a packet arrive and gives what became of it, as soon as the chain has its verdict. A request's text may leave out
   * the mandatory headers that the test isn't about.
   */
  async ask(packet: Packet | string, { from = {} }: AskOptions = {}): Promise<Answer> {
    const wire = typeof packet === "string" ? completeRequest(packet) : packet.toWire();
    this.takeSent();
    this.#recorder.last = undefined;
    this.#transport.arrive(wire, from);
    const last = this.#recorder.last as Promise<Recorded> | undefined;
    const recorded = await last;
    // What follows from a verdict happens in the turn after it.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const { verdict, by } = recorded ?? { verdict: undefined, by: undefined };
    return { verdict, by, sent: this.takeSent() };
  }

  /** Ends a connection, by its number: the port that its packets came from, where they named no other. */
  async lose(connection: number): Promise<void> {
    this.#transport.lose(connection);
    // What follows from it happens in the turn after it.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  close(): Promise<void> {
    return this.dispatcher.close();
  }
}

interface Recorded {
  readonly verdict: Claim | undefined;
  readonly by: string | undefined;
}

/** Writes down what the chain says. */
class Recorder implements Handler {
  readonly name = "ask";
  readonly #chain: ReceiveChain;
  last: Promise<Recorded> | undefined;

  constructor(handler: AnyHandler | readonly AnyHandler[]) {
    const list = Array.isArray(handler)
      ? (handler as readonly AnyHandler[])
      : [handler as AnyHandler];
    this.#chain = new ReceiveChain(list);
  }

  get allows(): ReceiveChain["allows"] {
    return this.#chain.allows;
  }

  get takesCancel(): boolean {
    return this.#chain.takesCancel;
  }

  receive(...[packet, leg, from]: Parameters<Handler["receive"]>): Outcome {
    const record = (verdict: Verdict): Recorded => ({
      verdict: verdict === false ? undefined : (verdict ?? undefined),
      by: packet.get(claimant),
    });
    try {
      const outcome = this.#chain.receive(packet, leg, from);
      this.last = isPending(outcome)
        ? outcome.then(record, () => record(undefined))
        : Promise.resolve(record(outcome));
      return outcome;
    } catch (error) {
      this.last = Promise.resolve(record(undefined));
      throw error;
    }
  }

  beforeSend(...[packet, leg, to]: Parameters<NonNullable<Handler["beforeSend"]>>): void {
    this.#chain.beforeSend(packet, leg, to);
  }

  connectionClosed(
    ...[connection, leg]: Parameters<NonNullable<Handler["connectionClosed"]>>
  ): void {
    this.#chain.connectionClosed(connection, leg);
  }

  start(server: Dispatcher): Promise<void> {
    return this.#chain.start(server);
  }

  close(): Promise<void> {
    return this.#chain.close();
  }
}

/** A transport with nothing below it: keeps what is sent. */
class LoopTransport implements Transport {
  readonly protocol: Protocol;
  readonly sent: Packet[] = [];
  readonly #address: string;
  readonly #port: number;
  readonly #connections = new Map<number, Peer>();
  #sink: TransportSink | undefined;

  constructor(leg: LegAddress) {
    const { protocol, address, port } = parseLegAddress(leg);
    this.protocol = protocol;
    this.#address = address;
    this.#port = port;
  }

  async listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    this.#sink = sink;
    return { address: this.#address, port: this.#port };
  }

  send(message: string | Uint8Array): void {
    this.sent.push(parsePacket(message));
  }

  connected(connection: number): Peer | undefined {
    return this.#connections.get(connection);
  }

  async close(): Promise<void> {}

  lose(id: number): void {
    const connection = this.#connections.get(id)?.connection;
    this.#connections.delete(id);
    if (connection !== undefined) this.#sink?.closed(connection);
  }

  arrive(wire: string, from: Partial<Peer>): void {
    const { protocol } = this;
    const address = from.address ?? "192.0.2.100";
    const port = from.port ?? 5060;
    const connection = from.connection ?? (protocol === "udp" ? undefined : this.#connection(port));
    const peer: Peer = { protocol, address, port, ...(connection && { connection }) };
    if (connection !== undefined) this.#connections.set(connection.id, peer);
    this.#sink?.message(Buffer.from(wire, "latin1"), peer);
  }

  #connection(id: number): Connection {
    return this.#connections.get(id)?.connection ?? { id, open: true };
  }
}
