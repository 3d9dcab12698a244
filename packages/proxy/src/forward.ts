import { asRequestUri, parseSipUri, type Request, route } from "@sipkit/core";

/** What a copy of a request is to have. */
export interface CopyOptions {
  /** The target's URI. */
  readonly uri: string;
  readonly maxForwards: number;
  readonly maxBreadth: number;
  /** Whether the Routes that the sender chose are followed. */
  readonly keepRoutes: boolean;
}

/** The copy of a request that goes to one target. RFC 3261 §16.6 steps 1 to 3, RFC 5393 §5.3.3 */
export function copyForTarget(request: Request, options: CopyOptions): Request {
  const copy = request.clone();
  const { headers } = copy;
  if (options.uri !== copy.uri) copy.uri = asRequestUri(options.uri);
  headers.set("Max-Forwards", String(options.maxForwards));
  headers.set("Max-Breadth", String(options.maxBreadth));
  if (!options.keepRoutes && headers.has("route")) headers.delete("route");
  return copy;
}

/**
 * A strict router next on the way: its URI goes into the request-URI, and the request-URI to the end of the Routes.
 * Gives that URI, which tells the next hop now; `undefined` where the first Route is a loose router's, or there is none.
 *
 * RFC 3261 §16.6 step 6
 */
export function yieldToStrictRouter(copy: Request): string | undefined {
  if (!copy.headers.has("route")) return undefined;
  const first = copy.headers.read(route);
  if (first === undefined || parseSipUri(first.uri).params.has("lr")) return undefined;
  copy.headers.shift("route");
  copy.headers.append("Route", `<${copy.uri}>`);
  copy.uri = asRequestUri(first.uri);
  return copy.uri;
}
