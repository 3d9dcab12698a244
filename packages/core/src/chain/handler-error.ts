import { SipError } from "../errors.ts";

/** A handler threw, or gave what is no verdict: which handler, and as `cause` what it threw. */
export class HandlerError extends SipError {
  readonly handler: string;

  constructor(
    code: "SIP_HANDLER_THREW" | "SIP_BAD_VERDICT",
    handler: string,
    message: string,
    cause?: unknown,
  ) {
    super(code, message, { cause, stack: false });
    this.handler = handler;
  }
}
