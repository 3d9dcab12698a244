import type { Peer } from "../arrival.ts";
import type { Verdict } from "../chain/handler.ts";
import type { ReceiveChain } from "../chain/receive-chain.ts";
import { isClaim, isPending } from "../chain/verdict.ts";
import type { Response } from "../message/response.ts";
import type { ClientMachine } from "../transaction/client-machine.ts";
import type { TransportLeg } from "../transport/leg.ts";
import { asSipError } from "./as-sip-error.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import type { PendingHandlers } from "./pending-handlers.ts";

/** What a response meets on its way in. */
export interface InboundResponsesHost extends Pick<ExchangeHost, "table" | "count" | "report"> {
  readonly receiver: ReceiveChain;
  readonly legs: readonly TransportLeg[];
  /** Whether handlers have started. */
  readonly hasStarted: boolean;
  /** Tells the trace that a response came in, with the transaction that it belongs to. */
  answered(
    response: Response,
    leg: TransportLeg,
    from: Peer,
    size: number,
    client: ClientMachine | undefined,
  ): void;
}

/** A response's way in: to the transaction that it belongs to, else through the chain. */
export class InboundResponses {
  readonly #host: InboundResponsesHost;
  readonly #handlers: PendingHandlers;

  constructor(host: InboundResponsesHost, handlers: PendingHandlers) {
    this.#host = host;
    this.#handlers = handlers;
  }

  receive(response: Response, leg: TransportLeg, from: Peer, size: number): void {
    const client = this.#host.table.findClient(response);
    this.#host.answered(response, leg, from, size, client);
    if (client !== undefined) client.receive(response);
    else if (this.#isForUs(response)) this.#walk(response, leg, from);
    else this.#host.count("misdirectedResponses");
  }

  /** §18.1.2: a response whose topmost Via isn't ours isn't for us. */
  #isForUs(response: Response): boolean {
    const via = response.topmostVia;
    return via !== undefined && this.#host.legs.some((own) => own.sentBy === via.sentBy);
  }

  /** One of no transaction is a forwarded one's, which a handler may know, or nobody's. */
  #walk(response: Response, leg: TransportLeg, from: Peer): void {
    const { receiver, hasStarted } = this.#host;
    if (!hasStarted || !this.#handlers.hasRoom) {
      this.#host.count("strayResponses");
      return;
    }
    try {
      const outcome = receiver.receive(response, leg, from);
      if (isPending(outcome)) {
        this.#handlers.follow(outcome, {
          settle: (verdict) => this.#settle(verdict),
          fail: (error) => this.#fail(response, error),
        });
      } else this.#settle(outcome);
    } catch (error) {
      this.#fail(response, error);
    }
  }

  #settle(verdict: Verdict): void {
    if (!isClaim(verdict)) this.#host.count("strayResponses");
  }

  #fail(response: Response, error: unknown): void {
    this.#host.count("strayResponses");
    this.#host.report(asSipError(error), { packet: response });
  }
}
