import type { ClientTransaction, RequestOptions } from "@sipkit/core";
import type { Branch } from "./branch.ts";
import { copyForTarget, yieldToStrictRouter } from "./forward.ts";
import type { ContextHost, Forwarding } from "./forwarding.ts";
import { loopBranch } from "./loop.ts";

/** Copies the request for a branch and sends it. RFC 3261 §16.6 */
export function sendBranch(
  { server, timerC }: ContextHost,
  forwarding: Forwarding,
  branch: Branch,
): ClientTransaction {
  const { request, isLookedUp, maxForwards, loopHash, recordRoute, keptFlow } = forwarding;
  const { destination } = branch;
  const { target } = destination;
  const copy = copyForTarget(request, {
    uri: destination.uri,
    maxForwards,
    maxBreadth: branch.breadth,
    keepRoutes: !isLookedUp,
  });
  const options: { -readonly [Key in keyof RequestOptions]: RequestOptions[Key] } = {
    branch: loopBranch(server.random.token(), loopHash),
    observer: branch,
  };
  if (target === undefined) {
    const strictRouter = yieldToStrictRouter(copy);
    if (strictRouter !== undefined) options.to = strictRouter;
  } else options.target = target;
  if (recordRoute !== undefined) {
    options.prepare = (prepared, leg) => recordRoute.add(prepared, leg, target?.flow);
  }
  if (keptFlow !== undefined) {
    options.prepare = (prepared, leg) =>
      prepared.headers.prepend("Path", server.signPath(keptFlow, leg));
  }
  if (request.method === "INVITE") timerC.set(branch);
  // RFC 4320 §4.2: who sent another request has given up by then.
  else options.failoverFor = 64 * server.t1;
  return server.request(copy, options);
}
