import { SipError } from "@sipkit/core";

/** Throws a `SipError` `SIP_BAD_OPTION` with the message, unless the option is good. */
export function checkOption(isGood: boolean, message: string): void {
  if (!isGood) throw new SipError("SIP_BAD_OPTION", message);
}
