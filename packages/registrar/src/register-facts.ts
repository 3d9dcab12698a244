import { identity, path, Reject, type Request, type Server } from "@sipkit/core";
import { type AttributesOf, readAttributes } from "./binding-attributes.ts";
import type { Sender } from "./contact-flow.ts";
import { digestOf } from "./message-digest.ts";
import { supports } from "./option-tags.ts";
import type { RegisterFacts } from "./register-update.ts";

const LONGEST_CALL_ID = 256;
const LONGEST_PATH = 1024;
const LONGEST_USER_AGENT = 128;
const NO_PATH: readonly string[] = [];

/** Which Paths are kept: `"strict"` refuses one whose device doesn't support it. RFC 3327 §5.3 */
export type PathMode = "off" | "lazy" | "strict";

/** What of a REGISTER is kept, beside what always is. */
export interface FactRules {
  readonly path: PathMode;
  /** What leads to this node, where others need it. */
  readonly nodePath: readonly string[];
  readonly attributes: AttributesOf | undefined;
}

/** The Path that leads other nodes to a device that this one has a flow to. RFC 5626 §6 */
export function nodePathOf({ flow }: Sender, server: Server): readonly string[] {
  // A WebSocket isn't what servers talk to each other over.
  const leg = server.legs.find(({ protocol }) => !protocol.startsWith("ws")) ?? server.legs[0];
  return leg === undefined ? NO_PATH : [server.signPath(flow, leg)];
}

/** Reads what a REGISTER's bindings have in common. Throws a `ParseError` or a `Reject`. */
export function readFacts(
  request: Request,
  addressOfRecord: string,
  now: number,
  { path, nodePath, attributes }: FactRules,
): RegisterFacts {
  const { callId } = request;
  if (callId.length > LONGEST_CALL_ID) throw new Reject(403, { reason: "Call-ID Too Long" });
  return {
    addressOfRecord,
    callId,
    cseq: request.cseq.number,
    digest: digestOf(request),
    path: path === "off" ? NO_PATH : readPath(request, path),
    nodePath,
    userAgent: request.headers.get("user-agent")?.slice(0, LONGEST_USER_AGENT),
    attributes: attributes && readAttributes(request, attributes),
    by: request.get(identity)?.user,
    now,
  };
}

/** RFC 3327 §5.3: in its order. Each hop must be an address: it becomes a Route. */
function readPath(request: Request, mode: PathMode): readonly string[] {
  const { headers } = request;
  if (!headers.has("path")) return NO_PATH;
  if (mode === "strict" && !supports(request, "path")) {
    throw new Reject(420, { headers: { Unsupported: "path" } });
  }
  headers.readAll(path);
  const hops = headers.getAll("path");
  const length = hops.reduce((sum, hop) => sum + hop.length, 0);
  if (length > LONGEST_PATH) throw new Reject(403, { reason: "Path Too Long" });
  return hops;
}

/**
 * Who sent a REGISTER, when it came from the phone itself: behind another server the connection is that server's, and
 * the phone is reached by its Path or its Contact.
 */
export function senderOf(request: Request, server: Server, mode: PathMode): Sender | undefined {
  if ((mode !== "off" && request.headers.has("path")) || request.headers.getAll("via").length > 1)
    return undefined;
  const flow = server.flowOf(request);
  return flow && { flow, sentBy: request.topmostVia?.host ?? "" };
}
