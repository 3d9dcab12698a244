import { messageOf, SipError } from "../errors.ts";

/** Whatever was thrown, as a `SipError`: `SIP_INTERNAL` for what is none. */
export function asSipError(error: unknown): SipError {
  if (error instanceof SipError) return error;
  return new SipError("SIP_INTERNAL", messageOf(error), { cause: error });
}
