import { ParseError, parseSipUri, SipError, serviceRoute } from "@sipkit/core";

/**
 * Reads the Service-Route option: URIs in brackets, as they go into each 200. Throws `SIP_BAD_OPTION` for what no device
 * could route by.
 *
 * RFC 3608 §6.3
 */
export function readServiceRoute(given: string | readonly string[] | undefined): readonly string[] {
  const hops = given === undefined ? [] : [given].flat();
  for (const hop of hops) {
    if (!isLooseRoute(hop)) {
      throw new SipError("SIP_BAD_OPTION", `serviceRoute is like <sip:host;lr>, not ${hop}`);
    }
  }
  return hops;
}

function isLooseRoute(hop: string): boolean {
  try {
    return parseSipUri(serviceRoute.parse(hop).uri).params.has("lr");
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}
