import { ErrorReply } from "@redis/client";
import { SipError } from "@sipkit/core";
import { StoreUnavailable } from "@sipkit/registrar";

/** Error replies of a server that can't serve just now: it loads, has lost its master, was demoted, is moving slots. */
const PASSING: ReadonlySet<string> = new Set([
  "READONLY",
  "LOADING",
  "MASTERDOWN",
  "NOREPLICAS",
  "CLUSTERDOWN",
  "TRYAGAIN",
  "BUSY",
  "UNBLOCKED",
  "MOVED",
  "ASK",
]);

/**
 * The code of an error reply, `READONLY` for example; `""` for what has none. Redis 6.2 puts what a script met behind its own
 * words: `ERR Error running script (call to f_…): @user_script:6: -READONLY You can't write …`.
 */
export function codeOf(message: string): string {
  const [, wrapped] = /^ERR Error running script [^\n]*?: -([A-Z]+) /.exec(message) ?? [];
  return wrapped ?? /^[A-Z]+(?= )/.exec(message)?.[0] ?? "";
}

/** Puts our errors in the place of the client's. What the server refuses for good stays as it is. */
export function nameFailure(error: unknown): unknown {
  if (error instanceof SipError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ErrorReply)) {
    return new StoreUnavailable(`Redis can't be reached: ${message}`, { cause: error });
  }
  const code = codeOf(message);
  if (code === "OOM") {
    return new SipError("SIP_STORE_FULL", "Redis has no memory left", { cause: error });
  }
  if (PASSING.has(code)) {
    return new StoreUnavailable(`Redis can't serve now: ${message}`, { cause: error });
  }
  return error;
}
