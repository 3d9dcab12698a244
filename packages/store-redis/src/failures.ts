import { ErrorReply } from "@redis/client";
import { SipError } from "@sipkit/core";
import { StoreUnavailable } from "@sipkit/registrar";

/** Error replies of a server that can't serve just now: it loads, has lost its master, was demoted, is moving slots. */
const PASSING =
  /^(?:READONLY|LOADING|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|BUSY|UNBLOCKED|MOVED|ASK)\b/;

/** Puts our errors in the place of the client's. What the server refuses for good stays as it is. */
export function nameFailure(error: unknown): unknown {
  if (error instanceof SipError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ErrorReply)) {
    return new StoreUnavailable(`Redis can't be reached: ${message}`, { cause: error });
  }
  if (message.startsWith("OOM")) {
    return new SipError("SIP_STORE_FULL", "Redis has no memory left", { cause: error });
  }
  if (PASSING.test(message)) {
    return new StoreUnavailable(`Redis can't serve now: ${message}`, { cause: error });
  }
  return error;
}
