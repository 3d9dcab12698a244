import { SipError } from "../errors.ts";
import type { ResponseOptions } from "../message/response.ts";

/**
 * Thrown in a handler, answers the request with a status. Captures no stack; on hot paths return a response instead.
 *
 * @example
 * throw new Reject(503, { headers: { "Retry-After": "5" } });
 */
export class Reject extends SipError {
  readonly status: number;
  readonly options: ResponseOptions;

  /** Throws `SIP_BAD_OPTION` for a status that refuses nothing. */
  constructor(status: number, options: ResponseOptions & { readonly cause?: unknown } = {}) {
    if (!(Number.isInteger(status) && status >= 300 && status <= 699)) {
      throw new SipError("SIP_BAD_OPTION", "a Reject has a status from 300 to 699");
    }
    super("SIP_REJECT", `rejected with ${status}`, { cause: options.cause, stack: false });
    this.status = status;
    this.options = options;
  }
}
