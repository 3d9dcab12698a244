import { require } from "../message/header/require.ts";
import { isDefinedMethod, type Method } from "../message/method.ts";
import type { Request } from "../message/request.ts";
import type { Response, ResponseOptions } from "../message/response.ts";
import { parseUri } from "../message/uri.ts";
import type { Domains } from "./domains.ts";
import { isTooLongFor } from "./proportion.ts";

/** What every dispatcher deals with below its chain. */
const OWN_METHODS: readonly Method[] = ["OPTIONS", "CANCEL", "ACK"];

/** The extensions that OPTIONS are told of, and may require. */
const EXTENSIONS: readonly string[] = ["path"];

/** What a server deals with whose handlers declare `allows`. */
export function allowedMethods(allows: readonly Method[]): readonly Method[] {
  return [...new Set([...allows, ...OWN_METHODS])];
}

/**
 * The answer to a request that no handler claimed. RFC 3261 §8.2.1, §8.2.2, §11.2
 *
 * `allows` is what the handlers declare; never for an ACK.
 */
export function answerUnclaimed(
  request: Request,
  domains: Domains,
  allows: readonly Method[],
): Response {
  const refuse = (status: number, options: ResponseOptions = {}): Response =>
    request.createResponse(status, { ...options, stateless: true });
  const allowed = allowedMethods(allows);
  const Allow = allowed.join(", ");
  // §9.2: a CANCEL cancels nothing here. §12.2.2: a To tag names a dialog, and there is none here.
  if (request.method === "CANCEL" || request.to.tag !== undefined) return refuse(481);
  // §8.2.2.1: a scheme that nobody here knows.
  const { scheme } = parseUri(request.uri);
  if (scheme !== "sip" && scheme !== "sips") return refuse(416);
  const forUs = domains.isLocal(request.uri) && domains.addressOfRecord(request.uri) === undefined;
  // §11.2: what we can do.
  if (request.method === "OPTIONS" && forUs) {
    const unknown = unknownExtensions(request);
    if (unknown.length > 0) return refuse(420, { headers: { Unsupported: unknown.join(", ") } });
    const full = refuse(200, {
      headers: { Allow, Accept: "application/sdp", Supported: EXTENSIONS.join(", ") },
    });
    // That all of it is told is a SHOULD: who asks in so few bytes learns that we are here.
    const { from, size } = request.arrival ?? {};
    return from !== undefined && isTooLongFor(full.toWire(), from, size) ? refuse(200) : full;
  }
  // §8.2.1: a method that nobody knows is 501, one that is known but not wanted here is 405.
  if (!isDefinedMethod(request.method)) return refuse(501, { headers: { Allow } });
  if (!allowed.includes(request.method)) return refuse(405, { headers: { Allow } });
  return refuse(404);
}

/** What a request requires and nobody here has. RFC 3261 §8.2.2.3 */
function unknownExtensions({ headers }: Request): readonly string[] {
  if (!headers.has("require")) return [];
  return headers.readAll(require).filter((tag) => !EXTENSIONS.includes(tag.toLowerCase()));
}
