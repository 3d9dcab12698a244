import { Authorize } from "@sipkit/auth";
import {
  type AnyHandler,
  accept,
  contentType,
  identity,
  type Method,
  onRequest,
  type Packet,
  type Request,
  type Response,
  type Server,
  targets,
} from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";

/** What a server is to a message. RFC 4475 tells some verdicts by it. */
export type Role = "element" | "registrar" | "guarded registrar" | "proxy" | "uas";

/** Where the proxy's users are. */
export const CALLEE = "192.0.2.50";

const SDP = "application/sdp";
const DIALOG_METHODS: readonly Method[] = ["INVITE", "ACK", "BYE", "MESSAGE", "OPTIONS"];

/** The handlers of a server that plays a role; `element` has none, so that the dispatcher answers. */
export function handlersOf(role: Role): readonly AnyHandler[] {
  switch (role) {
    case "element":
      return [];
    case "registrar":
      return [new Registrar()];
    case "guarded registrar":
      return [
        new Authorize({ realm: "example.com", credentials: { "j.user": "secret" } }),
        new Registrar(),
      ];
    case "proxy":
      return [new Directory(), new Proxy()];
    case "uas":
      return [onRequest(DIALOG_METHODS, answerAsUserAgent)];
  }
}

/** Trusts everybody, and knows every user of our domains: what a proxy needs to forward whatever it may. */
class Directory {
  #server: Server | undefined;

  start(server: Server): void {
    this.#server = server;
  }

  receive(packet: Packet): undefined {
    if (!packet.isRequest) return undefined;
    packet.set(identity, { user: "", realm: "", addressOfRecord: "", scheme: "none" });
    const server = this.#server as Server;
    if (packet.headers.has("route") || !server.isLocal(packet.uri)) return undefined;
    // A question to the server itself.
    const isOurs = server.addressOfRecord(packet.uri) === undefined;
    if (packet.method === "OPTIONS" && isOurs) return undefined;
    packet.set(targets, [
      { uri: packet.uri, q: 1, route: [`<sip:${CALLEE};lr>`], expiresAt: Number.MAX_VALUE },
    ]);
    return undefined;
  }
}

/** What §8.2 asks of a user agent that speaks SDP and has no extensions. */
function answerAsUserAgent(request: Request): Response | undefined {
  const { headers, method } = request;
  if (method === "ACK" || !/^sips?:/i.test(request.uri)) return undefined;
  // §8.2.2.3
  const unknown = headers.getAll("require");
  if (unknown.length > 0) {
    return request.createResponse(420, { headers: { Unsupported: unknown.join(", ") } });
  }
  // §8.2.3
  const type = headers.read(contentType)?.type;
  if (method === "INVITE" && type !== undefined && type !== SDP) {
    return request.createResponse(415, { headers: { Accept: SDP } });
  }
  const accepted = headers.readAll(accept);
  if (method === "INVITE" && accepted.length > 0 && !accepted.includes(SDP)) {
    const Warning = '399 example.com "There is no answer but SDP"';
    return request.createResponse(406, { headers: { Warning } });
  }
  return request.createResponse(200, { headers: { Contact: "<sip:192.0.2.1>" } });
}
