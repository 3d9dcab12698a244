import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";

const MAGIC_COOKIE = "z9hG4bK";

/**
 * The key of the server transaction that a request opens, or of which it is a retransmission: branch, sent-by and
 * method; for an ACK its INVITE's.
 *
 * RFC 3261 §17.2.3
 */
export function serverKeyOf(request: Request): string {
  return serverKey(request, request.method === "ACK" ? "INVITE" : request.method);
}

/** The key of the INVITE transaction that an ACK or a CANCEL belongs to. RFC 3261 §9.2, §17.2.3 */
export function inviteKeyOf(request: Request): string {
  return serverKey(request, "INVITE");
}

/**
 * The key of the server transaction that a response answers; one that matches none where the request came from an
 * RFC 2543 client, since a response doesn't hold the request-URI.
 */
export function serverKeyOfResponse(response: Response): string {
  const via = response.topmostVia;
  return via === undefined ? "" : branchKey(via.branch ?? "", via.sentBy, response.method);
}

/** The key of the client transaction that a response belongs to: branch and CSeq method. RFC 3261 §17.1.3 */
export function clientKeyOf(response: Response): string {
  return clientKey(response.topmostVia?.branch, response.method);
}

/** The key of the client transaction that a request opens. */
export function clientKeyOfRequest(request: Request): string {
  return clientKey(request.topmostVia?.branch, request.method);
}

/** What the 2xx to an INVITE and its ACK have in common: the dialog and the number in CSeq. RFC 3261 §13.2.2.4 */
export function ackKeyOf(packet: Request | Response): string {
  return flat(`${packet.callId}\n${packet.cseq.number}\n${fromTagOf(packet)}\n${toTagOf(packet)}`);
}

/** The tag of From; empty when there is none, or when a handler has left From malformed. */
function fromTagOf(packet: Request | Response): string {
  try {
    return packet.fromTag ?? "";
  } catch {
    return "";
  }
}

/** The tag of To; empty when there is none, or when a handler has left To malformed. */
export function toTagOf(packet: Request | Response): string {
  try {
    return packet.toTag ?? "";
  } catch {
    return "";
  }
}

/** Whether a server key was made for a client that knows no magic cookie. */
export function isRfc2543Key(key: string): boolean {
  return !key.startsWith(MAGIC_COOKIE);
}

function serverKey(request: Request, method: string): string {
  const via = request.topmostVia;
  const branch = via?.branch ?? "";
  const sentBy = via?.sentBy ?? "";
  // RFC 4475 §3.2.1: the cookie alone is no identifier, and the same in all requests of a client that sends it.
  return branch.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length
    ? branchKey(branch, sentBy, method)
    : rfc2543Key(request, branch, sentBy, method);
}

function branchKey(branch: string, sentBy: string, method: string): string {
  return flat(`${branch}|${sentBy.toLowerCase()}|${method}`);
}

/**
 * Without the cookie a branch says little: Request-URI, tags, Call-ID, CSeq and topmost Via must be equal. The To tag
 * counts for other methods only: an ACK has the response's, which the machine compares.
 */
function rfc2543Key(request: Request, branch: string, sentBy: string, method: string): string {
  const toTag = method === "INVITE" ? "" : toTagOf(request);
  const { number } = request.cseq;
  return flat(
    `2543\n${request.callId}\n${number} ${method}\n${fromTagOf(request)}\n${toTag}\n${sentBy.toLowerCase()}\n${branch}\n${request.uri}`,
  );
}

function clientKey(branch: string | undefined, method: string): string {
  return flat(`${branch ?? ""}|${method}`);
}

/**
 * The engine joins texts lazily, and what it joins are slices of a datagram, which would stay alive with the key. To
 * read one character makes it write the text out.
 */
function flat(key: string): string {
  return key.charCodeAt(0) === 0 ? "" : key;
}
