import { authorize, type ClientCredential } from "@sipkit/auth";
import {
  type ClientTransaction,
  cseq,
  type Dispatcher,
  type Packet,
  Request,
  type Response,
  type Verdict,
} from "@sipkit/core";

/** What a phone is told. */
export interface PhoneOptions {
  /** By realm. */
  readonly credentials?: Readonly<Record<string, ClientCredential>>;
  /** Says nothing to requests, as a phone whose program hangs. */
  readonly isSilent?: boolean;
}

interface Sent {
  readonly request: Request;
  readonly transaction: ClientTransaction;
  last: Response | undefined;
}

const CREDENTIALS = ["Authorization", "Proxy-Authorization"] as const;
/** What a response has of its request. */
const COPIED = new Set(["via", "from", "call-id", "cseq", "record-route", "content-length", "to"]);

/**
 * A phone that says what it is told, message by message: the text is the RFC's. Its own are Via, the digest, and Routes, since
 * these are made of what others said. ACKs to other answers than 2xx, and the 200 to a CANCEL, its dispatcher sends by itself.
 */
export class Phone {
  readonly #credentials: Readonly<Record<string, ClientCredential>>;
  readonly #isSilent: boolean;
  readonly #received: Request[] = [];
  readonly #sent: Sent[] = [];
  /** Route sets by Call-ID. RFC 3261 §12.1 */
  readonly #routes = new Map<string, readonly string[]>();
  /** A challenge from before the flow. */
  #primed: Response | undefined;
  #nextCSeq = 1;
  dispatcher!: Dispatcher;

  constructor({ credentials = {}, isSilent = false }: PhoneOptions) {
    this.#credentials = credentials;
    this.#isSilent = isSilent;
  }

  receive(packet: Packet): Verdict {
    if (!packet.isRequest) return undefined;
    if (this.#isSilent || packet.method === "ACK") return "drop";
    this.#received.push(packet);
    // Whoever has the signal answers the INVITE himself when it is cancelled.
    if (packet.method === "INVITE" && packet.signal.aborted) return packet.createResponse(487);
    return "later";
  }

  /** Sends a request or a response that the RFC prints. */
  say(message: Packet): void {
    message.headers.delete("via");
    if (message.isRequest) this.#ask(message);
    else this.#answer(message);
  }

  /** Gets a challenge as an earlier request of its would have got it: one with the same text, but without credentials. */
  async prime(message: Request): Promise<void> {
    message.headers.delete("via");
    for (const name of CREDENTIALS) message.headers.delete(name);
    message.headers.set("Call-ID", "earlier");
    this.#primed = await this.dispatcher.request(message).final;
  }

  /** Registers a contact. */
  async register(addressOfRecord: string, contact: string): Promise<Response> {
    const request = new Request("REGISTER", addressOfRecord.replace(/[^:]+@/, ""), {
      headers: {
        "Max-Forwards": "70",
        From: `<${addressOfRecord}>;tag=registers`,
        To: `<${addressOfRecord}>`,
        "Call-ID": "registers",
        CSeq: `${this.#nextCSeq} REGISTER`,
        Contact: `<${contact}>`,
      },
    });
    this.#nextCSeq += 2;
    const response = await this.dispatcher.request(request).final;
    if (!authorize(request, response, this.#credentials)) return response;
    return this.dispatcher.request(request).final;
  }

  #ask(request: Request): void {
    const { method, callId } = request;
    const invite = this.#sent.findLast(
      (sent) => sent.request.callId === callId && sent.request.method === "INVITE",
    );
    if (method === "CANCEL") {
      invite?.transaction.cancel();
      return;
    }
    if (method === "ACK" && (invite?.last?.status ?? 0) >= 300) return;
    if (request.toTag !== undefined) {
      request.headers.delete("route");
      for (const route of this.#routes.get(callId) ?? []) request.headers.append("Route", route);
    }
    if (CREDENTIALS.some((name) => request.headers.has(name))) this.#prove(request);
    if (method === "ACK") this.dispatcher.deliver(request);
    else this.#send(request);
  }

  #send(request: Request): void {
    const sent: Sent = {
      request,
      last: undefined,
      transaction: this.dispatcher.request(request, {
        observer: {
          response: (response) => {
            sent.last = response;
            if (request.method !== "INVITE" || response.status >= 300) return;
            const routes = response.headers.getAll("record-route").toReversed();
            this.#routes.set(request.callId, routes);
          },
          // What the flow then waits for doesn't come.
          failed: () => undefined,
        },
      }),
    };
    sent.transaction.final.catch(() => undefined);
    this.#sent.push(sent);
  }

  /** Puts in real credentials for printed ones: those of the request before it, and answers to its challenge. */
  #prove(request: Request): void {
    const before = this.#sent.findLast((sent) => sent.request.callId === request.callId);
    for (const name of CREDENTIALS) {
      const known = before?.request.headers.getAll(name) ?? [];
      if (known.length > 0) request.headers.set(name, known);
      else request.headers.delete(name);
    }
    if (request.method === "ACK") return;
    const challenge = before?.last ?? this.#primed;
    const printed = request.headers.read(cseq);
    if (challenge === undefined || !authorize(request, challenge, this.#credentials)) {
      throw new Error("there is no challenge to answer");
    }
    // A client raises it; the RFC has it raised already.
    if (printed !== undefined) request.headers.write(cseq, printed);
  }

  #answer(printed: Response): void {
    const { number, method } = printed.cseq;
    if (method === "CANCEL") return;
    const request = this.#received.findLast(
      ({ callId, cseq }) =>
        callId === printed.callId && cseq.number === number && cseq.method === method,
    );
    if (request === undefined) throw new Error(`there is no ${method} to answer`);
    const { status, reason, body } = printed;
    const response = request.createResponse(status, { reason, body });
    response.headers.set("To", printed.headers.get("to") ?? "");
    for (const [name, value] of printed.headers) {
      if (!COPIED.has(name.toLowerCase())) response.headers.append(name, value);
    }
    if (method === "INVITE" && request.toTag === undefined) {
      this.#routes.set(request.callId, request.headers.getAll("record-route"));
    }
    this.dispatcher.deliver(response);
  }
}
