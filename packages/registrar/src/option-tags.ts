import { type Request, type Response, require } from "@sipkit/core";

/** Whether a request's sender says that it supports an extension. RFC 3261 §20.37 */
export function supports({ headers }: Request, tag: string): boolean {
  if (!headers.has("supported")) return false;
  return headers.getAll("supported").some((each) => each.toLowerCase() === tag);
}

/** The 420 to a REGISTER that requires an extension we don't have, else `undefined`. RFC 3261 §8.2.2.3, §10.3 step 2 */
export function refuseUnknownExtensions(
  request: Request,
  known: ReadonlySet<string>,
): Response | undefined {
  const { headers } = request;
  if (!headers.has("require")) return undefined;
  const unknown = headers.readAll(require).filter((tag) => !known.has(tag.toLowerCase()));
  if (unknown.length === 0) return undefined;
  return request.createResponse(420, { headers: { Unsupported: unknown.join(", ") } });
}
