import type { Connection, Peer } from "../arrival.ts";
import type { Clock, Timer } from "../clock.ts";
import type { TransportError } from "../errors.ts";
import { sendError } from "../transport/transport-errors.ts";
import type { Links } from "./links.ts";
import type { VirtualMessage } from "./virtual-message.ts";
import { VirtualPipe } from "./virtual-pipe.ts";

/** How long the opening of a connection may take, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;

/** What a connection's end tells the transport that it belongs to. */
export interface EndOwner {
  /** Its host's; the timers of a crashed host never fire. */
  readonly clock: Clock;
  arrived(wire: string, end: VirtualConnection): void;
  failed(error: TransportError, to: Peer): void;
  ended(end: VirtualConnection): void;
}

/** One end of a connection. */
export class VirtualConnection implements Connection {
  readonly id: number;
  readonly peer: Peer;
  readonly #owner: EndOwner;
  readonly #clock: Clock;
  readonly #pipe: VirtualPipe;
  #other: VirtualConnection | undefined;
  #state: "connecting" | "open" | "closed";
  #deadline: Timer | undefined;
  #lastRead: number;
  #longestSilence = Number.POSITIVE_INFINITY;
  #watch: Timer | undefined;
  /** What was sent before the connection was there, and whom to tell when it never is. */
  #waiting: { readonly message: VirtualMessage; readonly to: Peer }[] = [];

  constructor(about: {
    readonly id: number;
    readonly owner: EndOwner;
    readonly links: Links;
    /** The network's. */
    readonly clock: Clock;
    readonly local: string;
    readonly remote: Omit<Peer, "connection">;
    /** The end that dialled, at the end that accepts. */
    readonly dialler?: VirtualConnection;
  }) {
    const { links, clock, local, remote } = about;
    this.id = about.id;
    this.#owner = about.owner;
    this.#clock = clock;
    this.#lastRead = clock.now();
    this.peer = { ...remote, connection: this };
    this.#pipe = new VirtualPipe(links, clock, local, remote.address, () => this.close());
    this.#other = about.dialler;
    this.#state = about.dialler === undefined ? "connecting" : "open";
  }

  get open(): boolean {
    return this.#state !== "closed";
  }

  /** Opens it; `accept` is asked at the other side for the end there, `undefined` where nobody listens. */
  dial(accept: () => VirtualConnection | undefined): void {
    this.#deadline = this.#owner.clock.setTimer(CONNECT_TIMEOUT, () =>
      this.#fail("no answer in time"),
    );
    this.#pipe.send({
      arrive: () => {
        if (!this.open) return;
        this.#other = accept();
        if (this.#other === undefined) this.#refused();
        else this.#other.#reply(() => this.#connected());
      },
    });
  }

  send(message: VirtualMessage, to: Peer): void {
    if (this.#state === "connecting") this.#waiting.push({ message, to });
    else if (this.#state === "open") this.#carry(message);
    else {
      message.become("lost");
      this.#owner.failed(this.#error("the connection is closed"), to);
    }
  }

  /** Ends it here at once, and there when the news arrives. */
  close(): void {
    if (this.open) this.#end();
  }

  expectBytes(within: number): void {
    this.#longestSilence = within;
    this.#watch?.cancel();
    this.#watchSilence();
  }

  /** Ends it at both ends at once. */
  cut(): void {
    const other = this.#other;
    if (this.open) this.#gone();
    if (other?.open === true) other.#gone();
  }

  /** Its host crashed: nobody is told here, the other end when the news arrives. */
  crash(): void {
    if (!this.open) return;
    this.#state = "closed";
    for (const { message } of this.#waiting.splice(0)) message.become("lost");
    this.#pipe.empty();
    this.#tellOther();
  }

  #connected(): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.#deadline?.cancel();
    for (const { message } of this.#waiting.splice(0)) this.#carry(message);
  }

  /** What the accepting side sends back by itself. */
  #reply(arrive: () => void): void {
    this.#pipe.send({ arrive });
  }

  /** Nobody listens: the refusal takes as long as the question did. */
  #refused(): void {
    this.#pipe.send({ arrive: () => this.#fail("connection refused") });
  }

  #fail(why: string): void {
    if (this.#state !== "connecting") return;
    this.#failWaiting(this.#error(why));
    if (this.#other !== undefined) this.#tellOther();
    this.#gone();
  }

  #carry(message: VirtualMessage): void {
    const other = this.#other;
    this.#pipe.send({
      message,
      arrive: () => {
        if (other !== undefined) other.#receive(message);
      },
    });
  }

  #receive(message: VirtualMessage): void {
    if (this.open) {
      this.#lastRead = this.#clock.now();
      message.arrived(this.#lastRead);
      this.#owner.arrived(message.wire, this);
    } else {
      // Nobody has this connection any more: the sender is told so.
      message.become("lost");
      this.#tellOther();
    }
  }

  #end(): void {
    this.#tellOther();
    this.#gone();
  }

  #watchSilence(): void {
    const left = this.#lastRead + this.#longestSilence - this.#clock.now();
    if (left <= 0) this.close();
    else this.#watch = this.#owner.clock.setTimer(left, () => this.#watchSilence());
  }

  #tellOther(): void {
    const other = this.#other;
    this.#pipe.send({
      arrive: () => {
        if (other?.open === true) other.#gone();
      },
    });
  }

  /** Nothing is read or sent here any more. */
  #gone(): void {
    if (!this.open) return;
    this.#failWaiting(this.#error("closed before it was there"));
    this.#state = "closed";
    this.#deadline?.cancel();
    this.#watch?.cancel();
    this.#owner.ended(this);
  }

  #failWaiting(error: TransportError): void {
    for (const { message, to } of this.#waiting.splice(0)) {
      message.become("lost");
      this.#owner.failed(error, to);
    }
  }

  #error(reason: string): TransportError {
    return sendError(this.peer.protocol, this.peer, reason);
  }
}
