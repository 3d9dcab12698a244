import { type Handler, onRequest } from "@sipkit/core";

/** Refuses calls from callers on a list. */
export function blockList(blocked: ReadonlySet<string>): Handler {
  return onRequest("INVITE", function blockList(request) {
    return blocked.has(request.from.uri) ? request.createResponse(607) : undefined;
  });
}
