import { SipError } from "../errors.ts";
import type { Method } from "../message/method.ts";
import { Response, type ResponseOptions } from "../message/response.ts";
import type { Handler, Packet, Verdict } from "./handler.ts";
import type { Server } from "./server.ts";

/** The answer to a blocked method, where a status alone doesn't say all. */
export interface BlockedAnswer extends Pick<ResponseOptions, "headers" | "reason"> {
  /** 300 to 699. */
  readonly status: number;
}

/** What a {@link Blocker} blocks. */
export interface BlockerOptions {
  /** The status, or the answer, that each method gets. Methods are case-sensitive; those that nobody knows are fine. */
  readonly block: Readonly<Partial<Record<Method, number | BlockedAnswer>>>;
}

/**
 * Answers every request of some methods with a fixed status, also within dialogs, and keeps nothing of it; everything
 * else passes on. Stands before whatever would serve them.
 *
 * A 405 gets the Allow header that it must have, of what is left, unless you give one. The ACK to a blocked INVITE never
 * gets here: the dispatcher knows it by its To tag.
 *
 * Throws `SIP_BAD_OPTION` for ACK, which is never answered, for CANCEL, whose answer is the dispatcher's, and for a
 * status that refuses nothing.
 *
 * RFC 3261 §8.2.1
 *
 * @example
 * new Blocker({ block: { SUBSCRIBE: 489, INVITE: { status: 405, reason: "No calls here" } } });
 */
export class Blocker implements Handler {
  readonly name = "Blocker";
  readonly #answers: ReadonlyMap<Method, BlockedAnswer>;
  #server: Server | undefined;

  constructor({ block }: BlockerOptions) {
    const answers = new Map<Method, BlockedAnswer>();
    for (const [method, given] of Object.entries(block)) {
      if (given === undefined) continue;
      const answer = typeof given === "number" ? { status: given } : given;
      check(method, answer);
      answers.set(method, answer);
    }
    this.#answers = answers;
  }

  start(server: Server): void {
    this.#server = server;
  }

  receive(packet: Packet): Verdict {
    if (!packet.isRequest) return undefined;
    const answer = this.#answers.get(packet.method);
    if (answer === undefined) return undefined;
    this.#server?.count("blockedRequests");
    const { status, ...options } = answer;
    const response = packet.createResponse(status, { ...options, stateless: true });
    // §21.4.6: a 405 says what is allowed.
    if (status === 405 && !response.headers.has("allow")) {
      response.headers.set("Allow", this.#allowed().join(", "));
    }
    return response;
  }

  /** What the server deals with and is not blocked here. */
  #allowed(): readonly Method[] {
    return (this.#server?.allows ?? []).filter((method) => !this.#answers.has(method));
  }
}

function check(method: Method, { status, ...options }: BlockedAnswer): void {
  if (method === "ACK" || method === "CANCEL") {
    throw new SipError("SIP_BAD_OPTION", `block must not name ${method}`);
  }
  if (!(Number.isInteger(status) && status >= 300 && status <= 699)) {
    throw new SipError("SIP_BAD_OPTION", `block answers ${method} with a status from 300 to 699`);
  }
  // A reason or a header that can't be sent is told now, and not by the first request.
  new Response(status, options);
}
