import type { Leg, Peer, Protocol } from "../arrival.ts";
import { SipError } from "../errors.ts";
import { createTransport } from "./create-transport.ts";
import { formatHostPort, isWildcard, parseHostPort } from "./host-port.ts";
import { type LegAddress, type LegOptions, parseLegAddress } from "./leg-address.ts";
import type { TlsOptions } from "./tls-options.ts";
import type { TlsSettings } from "./tls-settings.ts";
import type { Transport, TransportSink } from "./transport.ts";
import type { TransportContext } from "./transport-context.ts";

/** A leg as the layers above send through it. */
export interface SendingLeg extends Leg {
  /** Whether the protocol itself sees to it that messages arrive: nothing is retransmitted then. */
  readonly reliable: boolean;
  /** Sends one message: see `Transport.send`. */
  send(message: string | Uint8Array, to: Peer): void;
}

/** A leg over a {@link Transport}. */
export class TransportLeg implements SendingLeg {
  readonly protocol: Protocol;
  readonly reliable: boolean;
  readonly #transport: Transport;
  readonly #settings: TlsSettings | undefined;
  readonly #advertise: string | undefined;
  readonly #isOwnSocket: boolean;
  #address: string;
  #port: number;
  #sentBy: string;

  /** Throws a `SipError`: `SIP_BAD_LEG`, `SIP_BAD_OPTION`, `SIP_NO_REUSE_PORT`. */
  constructor(leg: LegAddress | LegOptions, context: TransportContext) {
    const options: LegOptions = typeof leg === "string" ? { listen: leg } : leg;
    const { listen, advertise } = options;
    if (advertise !== undefined && parseHostPort(advertise) === undefined) {
      throw new SipError("SIP_BAD_LEG", `advertise is host or host:port, not "${advertise}"`);
    }
    this.#advertise = advertise;
    this.#isOwnSocket = typeof listen === "string";
    this.#address = "";
    this.#port = 0;
    if (typeof listen === "string") {
      const { address, port } = parseLegAddress(listen);
      this.#address = address;
      this.#port = port;
      this.#refuseWildcard();
    }
    const limits = { ...context.limits, ...options.limits };
    const made = createTransport(options, { ...context, limits });
    this.#transport = made.transport;
    this.#settings = made.settings;
    this.protocol = this.#transport.protocol;
    this.reliable = this.protocol !== "udp";
    this.#sentBy = this.#makeSentBy();
  }

  /** The address: as configured, and from `listen()` on as bound. */
  get address(): string {
    return this.#address;
  }

  /** The port: as configured, and from `listen()` on as bound. */
  get port(): number {
    return this.#port;
  }

  get sentBy(): string {
    return this.#sentBy;
  }

  /** Starts to listen. Rejects with a `TransportError` (`SIP_LISTEN`) when the address can't be had. */
  async listen(sink: TransportSink): Promise<void> {
    const bound = await this.#transport.listen(sink);
    this.#address = bound.address;
    this.#port = bound.port;
    try {
      this.#refuseWildcard();
    } catch (error) {
      await this.#transport.close();
      throw error;
    }
    this.#sentBy = this.#makeSentBy();
  }

  send(message: string | Uint8Array, to: Peer): void {
    this.#transport.send(message, to);
  }

  /** The live connection of that number, as a peer. */
  connected(connection: number): Peer | undefined {
    return this.#transport.connected?.(connection);
  }

  /** See `Transport.reach`. */
  reach(to: Peer): Peer {
    return this.#transport.reach?.(to) ?? to;
  }

  stats(): Readonly<Record<string, number>> {
    return this.#transport.stats?.() ?? {};
  }

  counters(): Readonly<Record<string, number>> {
    return this.#transport.counters?.() ?? {};
  }

  /** See `Dispatcher.setCertificates`. */
  replaceTls(tls: TlsOptions): void {
    if (this.#settings === undefined) {
      const own = this.#isOwnSocket ? "" : " on a socket or server of yours";
      throw new SipError(
        "SIP_BAD_OPTION",
        `a ${this.protocol} leg${own} shows no certificates of ours`,
      );
    }
    this.#settings.replace(tls);
  }

  /** Whether its transport was made here, from an address. */
  get isOwnSocket(): boolean {
    return this.#isOwnSocket;
  }

  /** See `Transport.stopListening`. */
  stopListening(): void {
    this.#transport.stopListening?.();
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #refuseWildcard(): void {
    if (this.#advertise === undefined && isWildcard(this.#address)) {
      const text = formatHostPort(this.#address, this.#port);
      throw new SipError(
        "SIP_BAD_LEG",
        `a leg on ${text} needs advertise: the name others reach it by`,
      );
    }
  }

  #makeSentBy(): string {
    if (this.#advertise === undefined) return formatHostPort(this.#address, this.#port);
    const given = parseHostPort(this.#advertise);
    return formatHostPort(given?.host ?? this.#advertise, given?.port ?? this.#port);
  }
}
