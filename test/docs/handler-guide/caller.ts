import { identity, parseUri, Reject, type Request } from "@sipkit/core";

/** Who calls: the proved user, else whoever From claims to be. Throws a `Reject` for a caller who hides. */
export function callerOf(request: Request): string {
  const proved = request.get(identity);
  if (proved !== undefined) return proved.addressOfRecord;
  const uri = parseUri(request.from.uri);
  if ("host" in uri && uri.host.toLowerCase() === "anonymous.invalid") throw new Reject(433);
  return request.from.uri;
}
