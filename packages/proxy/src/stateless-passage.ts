import { isIP } from "node:net";
import {
  dialogRoute,
  type Leg,
  parseSipUri,
  type Request,
  Response,
  type Server,
} from "@sipkit/core";
import { upstreamStatus } from "./best-response.ts";
import { along, type CourseOptions, courseOf, type Standing } from "./course.ts";
import type { OpenedContact, StatelessContacts } from "./stateless-contacts.ts";
import type { Destination } from "./target-set.ts";

/** Where a request goes on: to one target, and one alone. RFC 3261 §16.11 */
export interface Passage {
  readonly destination: Destination;
  readonly standing: Standing;
  /** The leg to send it by; left out where the next hop tells. */
  readonly leg: Leg | undefined;
}

const COURSE: CourseOptions = { fork: "serial", maxTargets: 60, stateless: true };

/**
 * Chooses where a request goes that came in on `leg`. A response is our refusal; `undefined`: it is not the proxy's.
 *
 * RFC 3261 §16.5, §16.11
 */
export function choosePassage(
  request: Request,
  leg: Leg,
  server: Server,
  contacts: StatelessContacts | undefined,
): Passage | Response | undefined {
  const opened = contacts?.open(request.uri, leg);
  if (opened === "forged") {
    server.count("forgedContacts");
    return request.createResponse(403, { reason: "Forged Contact", stateless: true });
  }
  if (opened !== undefined) {
    request.uri = opened.uri;
    // Who has the Contact has it from us, and that is leave enough to use it.
    if (request.get(dialogRoute) === undefined) {
      const destination = along(request, undefined);
      const by = request.headers.has("route") ? undefined : legFor(opened, server.legs);
      return { destination, standing: "in dialog", leg: by };
    }
  }
  const course = courseOf(request, server, COURSE);
  if (course === undefined) return undefined;
  // §9.2: a CANCEL that leads nowhere cancels nothing, and that is what its sender is told.
  if (course instanceof Response) return request.method === "CANCEL" ? undefined : course;
  for (const group of course.groups) {
    for (const first of group) {
      const destination = reachable(first, server);
      if (destination !== undefined) {
        return { destination, standing: course.standing, leg: undefined };
      }
    }
  }
  const status = upstreamStatus(430, course.standing === "looked up");
  return request.createResponse(status, { stateless: true });
}

/** The first way to a device whose flow is there. RFC 5626 §5.3.1 */
function reachable(first: Destination, server: Server): Destination | undefined {
  let way: Destination | undefined = first;
  while (way?.target?.flow !== undefined && !server.isAlive(way.target.flow)) way = way.otherwise;
  return way;
}

/** The leg beside the one that a Contact came in on that speaks what it asks for, where it names an address of its kind. */
function legFor({ uri, leg }: OpenedContact, legs: readonly Leg[]): Leg | undefined {
  const { scheme, host, params } = parseSipUri(uri);
  const family = isIP(host.replace(/^\[|\]$/g, ""));
  if (family === 0 || family !== isIP(leg.address) || params.has("maddr")) return undefined;
  const asked = params.get("transport")?.toLowerCase();
  const isSecure = scheme === "sips";
  const protocol = asked === "ws" ? (isSecure ? "wss" : "ws") : isSecure ? "tls" : (asked ?? "udp");
  return legs.find((own) => own.address === leg.address && own.protocol === protocol);
}
