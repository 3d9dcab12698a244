import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import {
  type AnyHandler,
  Dispatcher,
  type Packet,
  parsePacket,
  Request,
  type SipError,
} from "@sipkit/core";
import { VirtualClock } from "@sipkit/core/testing";
import { DatagramWire } from "./datagram-wire.ts";
import { CALLEE, handlersOf, type Role } from "./roles.ts";

/** Also where the responses of the RFC say that we are: each address is a leg of the server. */
const ADDRESSES = ["192.0.2.1", "192.0.2.198", "192.0.2.105"] as const;
const SENDER = { address: "192.0.2.200", port: 5060 };
const PROBE = "probe";

/** What became of bytes that a server was sent. */
export interface Outcome {
  /** What the chain was given. */
  readonly seen: readonly Packet[];
  readonly answers: readonly Packet[];
  /** The requests that left the server, as wire strings. */
  readonly forwarded: readonly string[];
  /** What was counted meanwhile. */
  readonly counted: Readonly<Record<string, number>>;
  /** Whether the server closed the connection; always `false` for a datagram. */
  readonly closed: boolean;
}

/** A running server on virtual time: datagrams come from memory, streams over a real socket. */
export class TortureServer {
  readonly clock: VirtualClock = new VirtualClock();
  readonly errors: SipError[] = [];
  readonly #wires = ADDRESSES.map((address) => new DatagramWire(address));
  readonly #dispatcher: Dispatcher;
  #seen: Packet[] = [];
  #before: Readonly<Record<string, number>> = {};

  private constructor(handlers: readonly AnyHandler[]) {
    this.#dispatcher = new Dispatcher({
      clock: this.clock,
      domains: ["example.com", "example.net", "example.org", "company.com"],
      legs: [...this.#wires.map((wire) => ({ listen: wire })), "tcp:127.0.0.1:0"],
      resolver: { resolve: () => [{ protocol: "udp", address: "192.0.2.77", port: 5060 }] },
      receiver: [
        (packet) => {
          this.#seen.push(packet.clone());
        },
        ...handlers,
      ],
      onError: (error) => this.errors.push(error),
    });
  }

  static async start(role: Role): Promise<TortureServer> {
    const server = new TortureServer(handlersOf(role));
    await server.#dispatcher.listen();
    return server;
  }

  get stats(): Readonly<Record<string, number>> {
    return this.#dispatcher.stats();
  }

  /** Sends bytes as one datagram. */
  async datagram(bytes: Uint8Array): Promise<Outcome> {
    this.#begin();
    this.#wires[0]?.arrive(bytes, SENDER);
    await this.clock.advance(10);
    const answers = this.#sent()
      .filter((wire) => wire.startsWith("SIP/2.0"))
      .map((wire) => parsePacket(wire));
    return { ...this.#outcome(), answers, closed: false };
  }

  /**
   * Sends bytes over a connection of their own, and a harmless OPTIONS after them. Waits until that is answered, or the
   * connection is closed.
   *
   * @param step how far time moves while we wait, each turn of the event loop, in milliseconds
   */
  async stream(bytes: Uint8Array, { step = 0 }: { readonly step?: number } = {}): Promise<Outcome> {
    this.#begin();
    const { port = 0 } = this.#dispatcher.legs.at(-1) ?? {};
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    let received = "";
    let closed = false;
    socket.on("data", (piece) => {
      received += piece.toString("latin1");
    });
    socket.on("end", () => {
      closed = true;
    });
    socket.write(Buffer.concat([bytes, Buffer.from(PROBE_REQUEST)]));
    while (!closed && !received.includes(PROBE)) {
      await setImmediate();
      if (step > 0) await this.clock.advance(step);
    }
    await this.clock.advance(10);
    const outcome = this.#outcome();
    socket.destroy();
    while ((this.stats.connections ?? 0) > 0) await setImmediate();
    const answers = messagesOf(received).filter((packet) => !isProbe(packet));
    return { ...outcome, answers, closed };
  }

  /** Lets everything end, then closes. Gives what is still alive before that. */
  async close(): Promise<readonly (readonly [name: string, count: number])[]> {
    for (const wire of this.#sent().filter((sent) => !sent.startsWith("SIP/2.0"))) {
      const refusal = Request.parse(wire).createResponse(480).toBytes();
      this.#wires[0]?.arrive(refusal, { address: CALLEE, port: 5060 });
    }
    await this.clock.advance(400_000);
    const alive = Object.entries(this.stats).filter(([, count]) => count !== 0);
    await this.#dispatcher.close();
    return alive;
  }

  #begin(): void {
    this.#seen = [];
    for (const { sent } of this.#wires) sent.length = 0;
    this.#before = this.#dispatcher.counters();
  }

  #sent(): readonly string[] {
    return this.#wires.flatMap(({ sent }) => sent);
  }

  #outcome(): Pick<Outcome, "seen" | "forwarded" | "counted"> {
    const counters = Object.entries(this.#dispatcher.counters());
    return {
      seen: this.#seen.filter((packet) => !isProbe(packet)),
      forwarded: this.#sent().filter((wire) => !wire.startsWith("SIP/2.0")),
      counted: Object.fromEntries(
        counters
          .map(([name, count]) => [name, count - (this.#before[name] ?? 0)] as const)
          .filter(([, count]) => count > 0),
      ),
    };
  }
}

const PROBE_REQUEST = [
  "OPTIONS sip:example.com SIP/2.0",
  "Via: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKprobe",
  "Max-Forwards: 1",
  "From: <sip:probe@invalid>;tag=1",
  "To: <sip:probe@invalid>",
  `Call-ID: ${PROBE}`,
  "CSeq: 1 OPTIONS",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

function isProbe({ headers }: Packet): boolean {
  return headers.get("call-id") === PROBE;
}

/** The messages of a stream that the server wrote. */
function messagesOf(stream: string): readonly Packet[] {
  const messages: Packet[] = [];
  for (let rest = stream; rest !== ""; ) {
    const message = parsePacket(rest);
    messages.push(message);
    rest = rest.slice(message.toWire().length);
  }
  return messages;
}
