import { type Request, type Server, uriEquals } from "@sipkit/core";

/**
 * Which `uri` a digest may be made over.
 *
 * - `"request"`: the request-URI, byte for byte or equal to it by RFC 3261 §19.1.4
 * - `"server"`: also a URI without a user that names this server (a domain, an alias, an address of it), and either one
 *   within angle brackets
 * - `"any"`: every one; for a server behind a proxy that rewrites request-URIs
 */
export type DigestUri = "request" | "server" | "any";

export const digestUris: readonly DigestUri[] = ["request", "server", "any"];

/**
 * Whether a digest was made for this request, as far as its `uri` tells.
 *
 * RFC 7616 §3.4.6
 */
export function isUriOf(uri: string, request: Request, server: Server, mode: DigestUri): boolean {
  if (uri === request.uri || mode === "any") return true;
  if (mode === "request") return uriEquals(uri, request.uri);
  const bare = uri.startsWith("<") && uri.endsWith(">") ? uri.slice(1, -1) : uri;
  return (!bare.includes("@") && server.isLocal(bare)) || uriEquals(bare, request.uri);
}
