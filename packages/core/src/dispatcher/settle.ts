import type { Verdict } from "../chain/handler.ts";
import { Reject } from "../chain/reject.ts";
import { isClaim } from "../chain/verdict.ts";
import { ParseError } from "../errors.ts";
import { asSipError } from "./as-sip-error.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";

/** What the dispatcher gives to settle a request. */
type SettleHost = Pick<ExchangeHost, "count" | "report" | "answerUnclaimed">;

/** Does with a request what the chain said. */
export function settle(exchange: Exchange, verdict: Verdict, host: SettleHost): void {
  if (!isClaim(verdict)) settleUnclaimed(exchange, host);
  else if (typeof verdict === "object") exchange.respond(verdict);
  else if (verdict === "later") {
    if (!exchange.wait()) exchange.overload();
  } else if (verdict === "drop") {
    host.count("droppedByHandlers");
    exchange.finish("dropped");
  } else exchange.finish("forwarded");
}

/** Does with a request what follows from what the chain threw. */
export function settleThrown(exchange: Exchange, error: unknown, host: SettleHost): void {
  if (error instanceof Reject) {
    exchange.refuse(error.status, error.options);
  } else if (error instanceof ParseError) {
    host.count("malformedHeaders");
    exchange.refuse(error.status, { reason: error.message, stateless: true });
  } else {
    host.report(asSipError(error), { packet: exchange.request });
    exchange.refuse(500, {});
  }
}

function settleUnclaimed(exchange: Exchange, host: SettleHost): void {
  const { request } = exchange;
  if (request.method === "ACK") {
    host.count("unclaimedAcks");
  } else if (exchange.isOpen) {
    try {
      exchange.respond(host.answerUnclaimed(request));
    } catch (error) {
      settleThrown(exchange, error, host);
    }
  }
}
