import { maxForwards, proxyRequire, type Request, type Response, type Server } from "@sipkit/core";
import { isLooped } from "./loop.ts";

const INITIAL_MAX_FORWARDS = 70;

/** The Max-Forwards to send on; below 0 when there is none left. RFC 3261 §16.3 step 3, §16.6 step 3 */
export function nextMaxForwards(request: Request): number {
  const received = request.headers.read(maxForwards);
  return received === undefined ? INITIAL_MAX_FORWARDS : received - 1;
}

/**
 * Why a request must not be forwarded: our answer to it; `undefined` when nothing speaks against it. `stateless`: the
 * answer leaves nothing here.
 *
 * RFC 3261 §16.3
 */
export function refusal(
  request: Request,
  vias: readonly string[],
  hash: string,
  server: Server,
  stateless: boolean,
): Response | undefined {
  // Step 3.
  if (nextMaxForwards(request) < 0) {
    server.count("tooManyHops");
    return request.createResponse(483, { stateless });
  }
  // Step 4, RFC 5393 §4.2.2: with a single Via it came from its sender.
  if (vias.length > 1 && isLooped(vias, hash, server)) {
    server.count("loops");
    return request.createResponse(482, { stateless });
  }
  // Step 5: there is no option that we understand as a proxy.
  if (!request.headers.has("proxy-require")) return undefined;
  const unknown = request.headers.readAll(proxyRequire);
  if (unknown.length === 0) return undefined;
  return request.createResponse(420, {
    headers: { Unsupported: unknown.join(", ") },
    stateless,
  });
}
