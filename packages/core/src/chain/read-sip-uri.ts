import { ParseError } from "../errors.ts";
import { parseUri, type SipUri } from "../message/uri.ts";

/** Takes a stranger's URI apart: `undefined` for one that is malformed, or neither SIP nor SIPS. RFC 3261 §19.1 */
export function readSipUri(text: string): SipUri | undefined {
  try {
    const uri = parseUri(text);
    return "host" in uri ? uri : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
