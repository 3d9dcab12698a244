import {
  type Handler,
  type Leg,
  type Outcome,
  type Packet,
  type Peer,
  type Request,
  type Server,
  SipError,
  type Verdict,
} from "@sipkit/core";
import { callerOf } from "./caller.ts";
import { ScoreCache } from "./score-cache.ts";
import { spamScore, spamScoreHeader } from "./spam-score.ts";

export interface CallScreenOptions {
  /** Gives how likely a caller's calls are spam, 0 to 1: asks your directory. */
  readonly reputation: (caller: string) => Promise<number>;
  /** Calls with this score or more are refused. Default: 0.9. */
  readonly refuseFrom?: number;
  /** Addresses of servers whose score is believed. Default: none. */
  readonly trusted?: readonly string[];
  /** How long a score is remembered, in milliseconds. Default: 600,000. */
  readonly keepFor?: number;
  /** Callers that are remembered, at most. Default: 10,000. */
  readonly maxCallers?: number;
}

/** Refuses calls that are most likely spam, and tells the phone how likely the others are. */
export class CallScreen implements Handler {
  readonly name = "CallScreen";
  readonly #options: Required<CallScreenOptions>;
  #life: { readonly server: Server; readonly cache: ScoreCache } | undefined;

  constructor(options: CallScreenOptions) {
    const { refuseFrom = 0.9, trusted = [], keepFor = 600_000, maxCallers = 10_000 } = options;
    this.#options = { ...options, refuseFrom, trusted, keepFor, maxCallers };
  }

  start(server: Server): void {
    const { keepFor, maxCallers } = this.#options;
    this.#life = { server, cache: new ScoreCache(server.clock, keepFor, maxCallers) };
  }

  close(): void {
    this.#life?.cache.close();
  }

  receive(packet: Packet, _leg: Leg, from: Peer): Outcome {
    if (!packet.isRequest || packet.method !== "INVITE" || packet.to.tag !== undefined) return;
    const told = this.#told(packet, from);
    if (told !== undefined) return this.#judge(packet, told);
    const caller = callerOf(packet);
    const known = this.#life?.cache.get(caller);
    return known === undefined ? this.#ask(packet, caller) : this.#judge(packet, known);
  }

  beforeSend(packet: Packet): void {
    const score = packet.isRequest ? packet.get(spamScore) : undefined;
    if (score !== undefined) packet.headers.write(spamScoreHeader, score);
  }

  /** The score that a server we trust has found; what others write is taken off. */
  #told(request: Request, from: Peer): number | undefined {
    const isTrusted = this.#options.trusted.includes(from.address);
    const told = isTrusted ? request.headers.read(spamScoreHeader) : undefined;
    request.headers.delete(spamScoreHeader.name);
    return told;
  }

  async #ask(request: Request, caller: string): Promise<Verdict> {
    let score: number;
    try {
      score = await this.#options.reputation(caller);
    } catch (cause) {
      // A directory that is down must not stop the telephones.
      const error = new SipError("SIP_ACME_REPUTATION", "no reputation was found", { cause });
      this.#life?.server.report(error, { packet: request, handler: this.name });
      return;
    }
    this.#life?.cache.set(caller, score);
    return this.#judge(request, score);
  }

  #judge(request: Request, score: number): Verdict {
    if (score < this.#options.refuseFrom) {
      request.set(spamScore, score);
      return;
    }
    this.#life?.server.count("callsRefusedAsSpam");
    return request.createResponse(607);
  }
}
