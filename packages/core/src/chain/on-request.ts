import type { Leg, Peer } from "../arrival.ts";
import type { Method } from "../message/method.ts";
import type { Request } from "../message/request.ts";
import type { Handler, Outcome } from "./handler.ts";

/**
 * A handler for requests of one method, several, or all (`"*"`); everything else passes it by.
 *
 * @example
 * const doNotDisturb = onRequest("INVITE", (request) => request.createResponse(486));
 */
export function onRequest(
  methods: Method | readonly Method[] | "*",
  receive: (request: Request, leg: Leg, from: Peer) => Outcome,
): Handler {
  const allows = methods === "*" ? [] : typeof methods === "string" ? [methods] : [...methods];
  const wanted = methods === "*" ? undefined : new Set<Method>(allows);
  return {
    name: receive.name || `onRequest(${methods === "*" ? "*" : allows.join(", ")})`,
    allows,
    receive: (packet, leg, from) =>
      packet.isRequest && (wanted === undefined || wanted.has(packet.method))
        ? receive(packet, leg, from)
        : undefined,
  };
}
