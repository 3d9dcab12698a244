import { messageOf, ParseError } from "../errors.ts";
import { Response } from "../message/response.ts";
import type { Claim, Outcome, Packet, Verdict } from "./handler.ts";
import { HandlerError } from "./handler-error.ts";
import { Reject } from "./reject.ts";

/** Whether an outcome is still to come. */
export function isPending(outcome: Outcome): outcome is Promise<Verdict> {
  return typeof outcome === "object" && "then" in outcome;
}

/** Whether a verdict ends the chain. */
export function isClaim(verdict: Verdict): verdict is Claim {
  return verdict !== undefined && verdict !== false;
}

/** Throws a {@link HandlerError} that names the handler when it gave what is no verdict. */
export function checkVerdict(verdict: unknown, packet: Packet, handler: string): Verdict {
  switch (verdict) {
    case undefined:
    case false:
    case "later":
    case "forwarded":
    case "drop":
      return verdict;
  }
  if (!(verdict instanceof Response)) {
    throw new HandlerError(
      "SIP_BAD_VERDICT",
      handler,
      `${handler} gave ${describe(verdict)}, which is no verdict`,
    );
  }
  if (!packet.isRequest || packet.method === "ACK") {
    const what = packet.isRequest ? "an ACK" : "a response";
    throw new HandlerError("SIP_BAD_VERDICT", handler, `${handler} answered ${what}`);
  }
  if (verdict.status < 200) {
    throw new HandlerError(
      "SIP_BAD_VERDICT",
      handler,
      `${handler} gave a provisional response as its verdict`,
    );
  }
  return verdict;
}

/**
 * What a handler threw, named: a `Reject`, and a `ParseError` (a header of the packet, parsed when asked for), answer
 * the request with their own status and stay as they are.
 */
export function nameError(error: unknown, handler: string): unknown {
  if (error instanceof Reject || error instanceof ParseError || error instanceof HandlerError)
    return error;
  const message = `${handler} threw: ${messageOf(error)}`;
  return new HandlerError("SIP_HANDLER_THREW", handler, message, error);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object"
    ? `a ${value.constructor?.name ?? "object"}`
    : `a ${typeof value}`;
}
