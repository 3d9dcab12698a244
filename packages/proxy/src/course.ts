import {
  dialogRoute,
  type FlowRef,
  identity,
  type LateTargets,
  lateTargets,
  type Request,
  type Response,
  type Server,
  type Target,
  targets,
} from "@sipkit/core";
import { type Destination, type Fork, isSipUri, targetGroups } from "./target-set.ts";

/** Why a request is forwarded. */
export type Standing = "in dialog" | "by path" | "looked up" | "outward";

/** Where a request goes, and why it may. */
export interface Course {
  readonly standing: Standing;
  /** A group is tried when the one before it has failed. */
  readonly groups: readonly (readonly Destination[])[];
  /** Targets that are on their way; none where nothing is kept that could wait for them. */
  readonly late?: LateTargets | undefined;
}

/** How a course is found. */
export interface CourseOptions {
  readonly fork: Fork;
  readonly maxTargets: number;
  /** Whether a refusal leaves nothing here. */
  readonly stateless: boolean;
}

/**
 * Finds where a request goes: along its dialog, to the targets that somebody found, or, for a proved identity alone,
 * where its sender says. A response is our refusal; `undefined`: it is addressed to this server, and not the proxy's.
 *
 * RFC 3261 §16.5
 */
export function courseOf(
  request: Request,
  server: Server,
  { fork, maxTargets, stateless }: CourseOptions,
): Course | Response | undefined {
  const within = request.get(dialogRoute);
  if (within !== undefined) {
    const { flow } = within;
    if (flow === undefined && !hasWay(request)) return request.createResponse(416, { stateless });
    return { standing: within.byPath ? "by path" : "in dialog", groups: [[along(request, flow)]] };
  }

  const found = request.get(targets);
  if (found !== undefined) {
    const groups = targetGroups(found, fork, maxTargets, server);
    const late = stateless ? undefined : request.get(lateTargets);
    // A user whom nobody can reach now.
    if (groups.length === 0 && late === undefined) {
      return request.createResponse(480, { stateless });
    }
    return { standing: "looked up", groups, late };
  }

  const hasIdentity = request.get(identity) !== undefined;
  if (server.isLocal(request.uri) && !(hasIdentity && hasRoute(request))) {
    return undefined;
  }
  // §16.3 step 2
  if (!hasWay(request)) return request.createResponse(416, { stateless });
  // Strangers use us as a relay to nowhere. Nothing of them is kept.
  if (!hasIdentity) {
    server.count("refusedRelays");
    return request.createResponse(403, { stateless: true });
  }
  return { standing: "outward", groups: [[along(request, undefined)]] };
}

/** Where a request goes by its own request-URI and Routes, or over the flow that its signed Route names. */
export function along(request: Request, flow: FlowRef | undefined): Destination {
  const { uri } = request;
  if (flow === undefined) return { uri, target: undefined, otherwise: undefined };
  const target: Target = { uri, q: 1, route: [], flow, expiresAt: Number.POSITIVE_INFINITY };
  return { uri, target, otherwise: undefined };
}

/** Whether anything tells where a request goes next. */
export function hasWay(request: Request): boolean {
  return isSipUri(request.uri) || hasRoute(request);
}

/** Whether there is a Route, and not just an empty line of that name. */
function hasRoute({ headers }: Request): boolean {
  return headers.has("route") && headers.get("route") !== undefined;
}
