import { isIP } from "node:net";
import type { Connection, Peer, Protocol } from "../../arrival.ts";
import type { AnyHandler, Outcome, Packet, Verdict } from "../../chain/handler.ts";
import { isPending } from "../../chain/verdict.ts";
import { wrap } from "../../chain/wrap.ts";
import { Dispatcher } from "../../dispatcher/dispatcher.ts";
import { type SipError, TransportError } from "../../errors.ts";
import { parseSipUri } from "../../message/uri.ts";
import type { NextHop } from "../../resolve/resolver.ts";
import type { Transport, TransportSink } from "../../transport/transport.ts";
import { VirtualClock } from "../virtual-clock.ts";

/** Longer than anything may take that waits for an answer or for its end. */
const QUIET = 600_000;

/** What a handler said to a packet. */
export interface Said {
  readonly packet: Packet;
  readonly verdict: Verdict;
}

/** What is a handler's fault; a header that is malformed is its sender's. */
const FAULTS: ReadonlySet<string> = new Set([
  "SIP_HANDLER_THREW",
  "SIP_BAD_VERDICT",
  "SIP_ANSWERED_TWICE",
  "SIP_UNANSWERED",
  "SIP_INTERNAL",
]);

/** A handler in a real dispatcher, with nothing below it and virtual time: what arrives is put in, what is sent noted. */
export class HandlerBench {
  readonly clock: VirtualClock = new VirtualClock();
  readonly dispatcher: Dispatcher;
  readonly said: Said[] = [];
  /** Every message that was sent, as it was sent. */
  readonly sent: string[] = [];
  readonly #handler: AnyHandler;
  readonly #errors: SipError[] = [];
  readonly #transports: readonly OpenEnd[];

  constructor(handler: AnyHandler, before: readonly AnyHandler[]) {
    this.#handler = handler;
    const protocols = ["udp", "tcp"] as const;
    this.#transports = protocols.map((protocol) => new OpenEnd(protocol, this.sent));
    const watched = wrap(handler, (next, packet) => this.#note(next(), packet));
    this.dispatcher = new Dispatcher({
      clock: this.clock,
      domains: ["example.com"],
      legs: this.#transports.map((listen) => ({ listen })),
      receiver: [...before, watched],
      resolver: { resolve: resolveAddress },
      onError: (error) => this.#errors.push(error),
    });
  }

  /** What went wrong that is the handler's fault, one line each. */
  get faults(): readonly string[] {
    return this.#errors
      .filter(({ code }) => FAULTS.has(code))
      .map(({ code, message }) => `${code}: ${message}`);
  }

  /** Lets a wire string arrive. What it leads to may take time. */
  arrive(wire: string, protocol: "udp" | "tcp" = "udp"): void {
    this.#transports.find((each) => each.protocol === protocol)?.arrive(wire);
  }

  /** Lets what is under way come to rest, without time passing. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  /** Lets so much time pass that nothing may wait any more. */
  rest(): Promise<void> {
    return this.clock.advance(QUIET);
  }

  /** Closes the handler once more, when the dispatcher has. */
  async closeHandler(): Promise<void> {
    if (typeof this.#handler !== "function") await this.#handler.close?.();
  }

  #note(outcome: Outcome, packet: Packet): Outcome {
    // What is no verdict at all is not for us to find out: the chain does.
    if (typeof outcome === "object" && outcome !== null && isPending(outcome)) {
      return outcome.then((verdict) => {
        this.said.push({ packet, verdict });
        return verdict;
      });
    }
    this.said.push({ packet, verdict: outcome });
    return outcome;
  }
}

/** No name has an address here: whoever runs a suite asks nobody for what strangers wrote. */
function resolveAddress(uri: string): readonly NextHop[] {
  const { host, port = 5060, params } = parseSipUri(uri);
  const address = host.replace(/^\[|\]$/g, "");
  if (isIP(address) === 0) {
    throw new TransportError("no address for that name", { code: "SIP_NO_ADDRESS" });
  }
  const protocol = params.get("transport")?.toLowerCase() === "tcp" ? "tcp" : "udp";
  return [{ protocol, address, port }];
}

/** A transport that leads nowhere. */
class OpenEnd implements Transport {
  readonly protocol: Protocol;
  readonly #sent: string[];
  readonly #peer: Peer;
  #sink: TransportSink | undefined;

  constructor(protocol: "udp" | "tcp", sent: string[]) {
    this.protocol = protocol;
    this.#sent = sent;
    const connection: Connection = { id: 1, open: true };
    const peer: Peer = { protocol, address: "192.0.2.100", port: 5060 };
    this.#peer = protocol === "udp" ? peer : { ...peer, connection };
  }

  async listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    this.#sink = sink;
    return { address: "192.0.2.1", port: 5060 };
  }

  send(message: string | Uint8Array): void {
    this.#sent.push(
      typeof message === "string" ? message : Buffer.from(message).toString("latin1"),
    );
  }

  connected(connection: number): Peer | undefined {
    return connection === this.#peer.connection?.id ? this.#peer : undefined;
  }

  async close(): Promise<void> {
    this.#sink = undefined;
  }

  arrive(wire: string): void {
    this.#sink?.message(Buffer.from(wire, "latin1"), this.#peer);
  }
}
