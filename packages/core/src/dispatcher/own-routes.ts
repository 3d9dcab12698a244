import { dialogRoute } from "../chain/dialog-route.ts";
import { route } from "../message/header/route.ts";
import type { Request } from "../message/request.ts";
import { parseSipUri } from "../message/uri.ts";
import type { Domains } from "./domains.ts";
import type { RouteTokens } from "./route-tokens.ts";

/** Shorter user parts than this are no tokens of ours, but what somebody wrote into an outbound proxy setting. */
const SHORTEST_TOKEN = 23;

/**
 * Takes our own Routes off a request and says `"forged"` when the last of them names a way that we did not sign for
 * its dialog. A valid one is left on the request as {@link dialogRoute}.
 *
 * Throws the `ParseError` of a malformed Route.
 *
 * RFC 3261 §16.4
 */
export function takeOwnRoutes(
  request: Request,
  domains: Domains,
  tokens: RouteTokens,
): "taken" | "forged" {
  let last = strictlyRouted(request, domains);
  for (let top = topRoute(request); top !== undefined; top = topRoute(request)) {
    if (!domains.isLocal(top)) break;
    request.headers.shift("route");
    last = top;
  }
  const token = last === undefined ? undefined : parseSipUri(last).user;
  if (token === undefined || token.length < SHORTEST_TOKEN) return "taken";
  const verified = tokens.verify(token, request);
  if (verified === undefined) return "forged";
  request.set(dialogRoute, verified);
  return "taken";
}

function topRoute(request: Request): string | undefined {
  return request.headers.has("route") ? request.headers.read(route)?.uri : undefined;
}

/**
 * A strict router before us put our Record-Route URI into the request-URI and the real one at the end of the Routes:
 * puts that back, and gives our URI.
 */
function strictlyRouted(request: Request, domains: Domains): string | undefined {
  const ours = request.uri;
  if (!ours.includes(";lr") || !request.headers.has("route") || !domains.isLocal(ours))
    return undefined;
  if (!parseSipUri(ours).params.has("lr")) return undefined;
  const routes = request.headers.getAll("route");
  const remote = request.headers.readAll(route).at(-1);
  if (remote === undefined) return undefined;
  request.uri = remote.uri;
  if (routes.length === 1) request.headers.delete("route");
  else request.headers.set("route", routes.slice(0, -1));
  return ours;
}
