import { contact, type Method, Request, type Response } from "@sipkit/core";

/** One side of a dialog: what its requests are made of. RFC 3261 §12 */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** When its call began, in virtual milliseconds. */
  readonly since: number;
  /** For the callee's side: whether the ACK came. */
  isConfirmed = false;
  /** Whether this side has said BYE. */
  isEnding = false;
  readonly #local: string;
  readonly #remote: string;
  readonly #target: string;
  readonly #routes: readonly string[];
  #number: number;

  private constructor(about: {
    readonly message: Request | Response;
    readonly local: "from" | "to";
    readonly to: string;
    readonly routes: readonly string[];
    readonly number: number;
    readonly since: number;
  }) {
    const { message, local, to } = about;
    const fromTag = message.from.tag ?? "";
    const toTag = /;tag=([^;]+)/.exec(to)?.[1] ?? "";
    const from = message.headers.get("from") ?? "";
    this.callId = message.callId;
    this.since = about.since;
    [this.localTag, this.remoteTag] = local === "from" ? [fromTag, toTag] : [toTag, fromTag];
    [this.#local, this.#remote] = local === "from" ? [from, to] : [to, from];
    const value = message.headers.read(contact);
    this.#target = value === undefined || value === "*" ? "" : value.uri;
    this.#routes = about.routes;
    this.#number = about.number;
  }

  /** The caller's side, from the 2xx. RFC 3261 §12.1.2 */
  static ofCaller(response: Response, since: number): Dialog {
    return new Dialog({
      message: response,
      local: "from",
      to: response.headers.get("to") ?? "",
      routes: response.headers.getAll("record-route").toReversed(),
      number: response.cseq.number,
      since,
    });
  }

  /** The callee's side, from the INVITE and our 2xx to it. RFC 3261 §12.1.1 */
  static ofCallee(invite: Request, response: Response, since: number): Dialog {
    return new Dialog({
      message: invite,
      local: "to",
      to: response.headers.get("to") ?? "",
      routes: invite.headers.getAll("record-route"),
      number: 1000,
      since,
    });
  }

  /** What two sides of one dialog have in common. */
  get key(): string {
    return [this.callId, ...[this.localTag, this.remoteTag].sort()].join(" ");
  }

  /** Whether a request came within it. RFC 3261 §12.2.2 */
  matches(request: Request): boolean {
    return (
      request.callId === this.callId &&
      request.to.tag === this.localTag &&
      request.from.tag === this.remoteTag
    );
  }

  /** A request within it. RFC 3261 §12.2.1.1 */
  request(method: Method): Request {
    this.#number += 1;
    const request = new Request(method, this.#target, {
      headers: {
        "Max-Forwards": "70",
        From: this.#local,
        To: this.#remote,
        "Call-ID": this.callId,
        CSeq: `${this.#number} ${method}`,
      },
    });
    for (const value of this.#routes) request.headers.append("Route", value);
    return request;
  }
}
