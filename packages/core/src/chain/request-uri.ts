import { formatUri, parseSipUri } from "../message/uri.ts";

/**
 * A contact's or route's URI as a request-URI: without what that can't have, headers and the method parameter. Throws
 * a `ParseError` for what is neither a SIP nor a SIPS URI and has one of them.
 *
 * RFC 3261 §16.6 step 2, §19.1.1
 */
export function asRequestUri(uri: string): string {
  if (!uri.includes("?") && !/;method=/i.test(uri)) return uri;
  const parsed = parseSipUri(uri);
  return formatUri({ ...parsed, params: parsed.params.without("method"), headers: "" });
}
