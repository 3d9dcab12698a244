import { authorize } from "@sipkit/auth";
import { cseq, Dispatcher, type Packet, Request, type Response, type Verdict } from "@sipkit/core";

/** Who a phone is, and where it registers. */
export interface DemoPhoneOptions {
  readonly user: string;
  readonly password: string;
  readonly domain: string;
  /** Where it sends what it sends: a SIP URI. */
  readonly proxy: string;
}

const RINGING = 300;

/** A phone without sound: it registers, calls, rings for a moment, and answers. */
export class DemoPhone {
  readonly #options: DemoPhoneOptions;
  readonly #dispatcher: Dispatcher;

  constructor(options: DemoPhoneOptions) {
    this.#options = options;
    this.#dispatcher = new Dispatcher({
      legs: ["udp:127.0.0.1:0"],
      receiver: (packet) => this.#receive(packet),
    });
  }

  /** Where it listens, as `address:port`. */
  get address(): string {
    return this.#dispatcher.legs[0]?.sentBy ?? "";
  }

  async listen(): Promise<void> {
    await this.#dispatcher.listen();
  }

  async register(): Promise<void> {
    const { user, domain } = this.#options;
    await this.#ask(this.#request("REGISTER", `sip:${domain}`, `sip:${user}@${domain}`));
  }

  /** Calls somebody, and hangs up when the call has lasted; gives the final status. */
  async call(uri: string, lasting: number): Promise<number> {
    const invite = this.#request("INVITE", uri, uri);
    const answer = await this.#ask(invite);
    if (answer.status >= 300) return answer.status;
    const ack = invite.createAck(answer);
    this.#dispatcher.deliver(ack);
    await this.#wait(lasting);
    await this.#dispatcher.request(this.#follow(ack, "BYE")).final;
    return answer.status;
  }

  /** Calls somebody, and gives up after a moment; gives the final status. */
  async giveUp(uri: string, after: number): Promise<number> {
    const signal = AbortSignal.timeout(after);
    return (await this.#ask(this.#request("INVITE", uri, uri), signal)).status;
  }

  close(): Promise<void> {
    return this.#dispatcher.close();
  }

  #receive(packet: Packet): Verdict {
    if (!packet.isRequest) return undefined;
    const { method } = packet;
    if (method === "ACK") return "drop";
    if (method === "BYE") return packet.createResponse(200);
    return method === "INVITE" ? this.#ring(packet) : undefined;
  }

  #ring(invite: Request): Verdict {
    const { user } = this.#options;
    const headers = { Contact: `<sip:${user}@${this.address}>` };
    this.#dispatcher.deliver(invite.createResponse(180, { headers }));
    const answer = this.#dispatcher.clock.setTimer(RINGING, () => {
      this.#dispatcher.deliver(invite.createResponse(200, { headers }));
    });
    invite.signal.addEventListener("abort", () => {
      answer.cancel();
      this.#dispatcher.deliver(invite.createResponse(487));
    });
    return "later";
  }

  #request(method: string, uri: string, to: string): Request {
    const { user, domain } = this.#options;
    const { random } = this.#dispatcher;
    return new Request(method, uri, {
      headers: {
        "Max-Forwards": "70",
        From: `<sip:${user}@${domain}>;tag=${random.token()}`,
        To: `<${to}>`,
        "Call-ID": random.token(),
        CSeq: `1 ${method}`,
        Contact: `<sip:${user}@${this.address}>`,
      },
    });
  }

  /** Sends a request to the proxy, again with credentials when it asks for them. */
  async #ask(request: Request, signal?: AbortSignal): Promise<Response> {
    const { domain, user, password, proxy: to } = this.#options;
    const credentials = { [domain]: [user, password] as const };
    for (;;) {
      const options = signal === undefined ? { to } : { to, signal };
      const response = await this.#dispatcher.request(request, options).final;
      if (!(await authorize(request, response, credentials))) return response;
    }
  }

  /** A request within the dialog of an ACK: it goes the same way. RFC 3261 §12.2.1.1 */
  #follow(ack: Request, method: string): Request {
    const request = new Request(method, ack.uri, { headers: ack.headers });
    request.headers.write(cseq, { number: ack.cseq.number + 1, method });
    return request;
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#dispatcher.clock.setTimer(milliseconds, resolve));
  }
}
