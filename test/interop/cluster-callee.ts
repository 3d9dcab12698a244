import { randomBytes } from "node:crypto";
import {
  asRoutes,
  type Message,
  type Outgoing,
  PATIENCE,
  recordRoutesOf,
  uriOf,
} from "./cluster-message.ts";

/** What a phone knows of a call that it has answered. */
interface Answered {
  readonly invite: Message;
  readonly tag: string;
  repeat: ReturnType<typeof setInterval> | undefined;
}

/** What the answering side of a phone needs of it. */
export interface Line {
  readonly contact: () => string;
  readonly write: (text: string) => void;
  /** Sends a request and gives its answer. */
  readonly send: (outgoing: Outgoing) => Promise<Message>;
  /** Told by which call the other side has hung up. */
  readonly hungUp: (callId: string) => void;
}

/** The side of a phone that answers: each call rings and is answered at once, and hung up when its Subject asks for that. */
export class Callee {
  /** How many ACKs came to 200s of ours. */
  acks = 0;
  readonly #line: Line;
  readonly #answered = new Map<string, Answered>();

  constructor(line: Line) {
    this.#line = line;
  }

  close(): void {
    for (const { repeat } of this.#answered.values()) clearInterval(repeat);
    this.#answered.clear();
  }

  serve(request: Message): void {
    const callId = request.one("Call-ID");
    const call = this.#answered.get(callId);
    switch (request.method) {
      case "INVITE":
        if (call === undefined) this.#ring(request);
        return;
      case "ACK":
        if (call?.repeat !== undefined) this.#acknowledged(call);
        return;
      case "BYE":
        this.#respond(request, 200);
        this.#answered.delete(callId);
        this.#line.hungUp(callId);
        return;
      default:
        this.#respond(request, 200);
    }
  }

  #ring(invite: Message): void {
    const call: Answered = { invite, tag: randomBytes(4).toString("hex"), repeat: undefined };
    this.#answered.set(invite.one("Call-ID"), call);
    this.#respond(invite, 180, call.tag);
    this.#respond(invite, 200, call.tag);
    // §13.3.1.4
    call.repeat = setInterval(() => this.#respond(invite, 200, call.tag), 500);
    setTimeout(() => clearInterval(call.repeat), PATIENCE).unref();
  }

  #acknowledged(call: Answered): void {
    this.acks += 1;
    clearInterval(call.repeat);
    call.repeat = undefined;
    const { invite, tag } = call;
    if (invite.one("Subject") !== "callee hangs up") return;
    const bye = {
      method: "BYE",
      uri: uriOf(invite.one("Contact")),
      from: `${invite.one("To")};tag=${tag}`,
      to: invite.one("From"),
      callId: invite.one("Call-ID"),
      cseq: 1,
      lines: asRoutes(recordRoutesOf(invite)),
    };
    // Who made the call waits for it.
    this.#line.send(bye).catch(() => {});
  }

  #respond(request: Message, status: 180 | 200, tag?: string): void {
    const copied = ["Via", "From", "Call-ID", "CSeq", "Record-Route"].flatMap((name) =>
      request.all(name).map((value) => `${name}: ${value}`),
    );
    const to = `To: ${request.one("To")}${tag === undefined ? "" : `;tag=${tag}`}`;
    const lines = [`SIP/2.0 ${status} Fine`, ...copied, to, `Contact: ${this.#line.contact()}`];
    this.#line.write([...lines, "Content-Length: 0", "", ""].join("\r\n"));
  }
}
