import { contact, type Method, Request, type Response, recordRoute } from "@sipkit/core";

/** One side of a dialog: what its requests are made of. RFC 3261 §12 */
export class Dialog {
  readonly #callId: string;
  readonly #local: string;
  readonly #remote: string;
  readonly #routes: readonly string[];
  #target: string;
  #number: number;

  private constructor(
    callId: string,
    local: string,
    remote: string,
    target: string,
    routes: readonly string[],
    number: number,
  ) {
    this.#callId = callId;
    this.#local = local;
    this.#remote = remote;
    this.#target = target;
    this.#routes = routes;
    this.#number = number;
  }

  /** The caller's side. §12.1.2 */
  static ofCaller(invite: Request, response: Response): Dialog {
    const { headers } = response;
    return new Dialog(
      invite.callId,
      headers.get("from") ?? "",
      headers.get("to") ?? "",
      uriOf(response),
      headers.getAll("record-route").toReversed(),
      invite.cseq.number,
    );
  }

  /** The callee's side. §12.1.1 */
  static ofCallee(invite: Request, response: Response): Dialog {
    return new Dialog(
      invite.callId,
      response.headers.get("to") ?? "",
      invite.headers.get("from") ?? "",
      uriOf(invite),
      invite.headers.getAll("record-route"),
      1000,
    );
  }

  get routes(): readonly string[] {
    return this.#routes;
  }

  /** A request within the dialog. §12.2.1.1 */
  request(method: Method, number?: number): Request {
    if (number === undefined) this.#number += 1;
    const request = new Request(method, this.#target, {
      headers: {
        "Max-Forwards": "70",
        From: this.#local,
        To: this.#remote,
        "Call-ID": this.#callId,
        CSeq: `${number ?? this.#number} ${method}`,
      },
    });
    for (const value of this.#routes) request.headers.append("Route", value);
    return request;
  }

  /** As an attacker would: other Routes. */
  forge(method: Method, routes: readonly string[], uri: string = this.#target): Request {
    const request = this.request(method);
    request.headers.delete("route");
    request.uri = uri;
    for (const value of routes) request.headers.append("Route", value);
    return request;
  }
}

/** The URIs of a message's Record-Routes, top first. */
export function recordRoutesOf(message: Request | Response): readonly string[] {
  return message.headers.readAll(recordRoute).map(({ uri }) => uri);
}

function uriOf(message: Request | Response): string {
  const value = message.headers.read(contact);
  return value === undefined || value === "*" ? "" : value.uri;
}
