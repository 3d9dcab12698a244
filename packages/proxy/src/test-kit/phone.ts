import {
  type ClientTransaction,
  Dispatcher,
  type HeadersInit,
  type LegAddress,
  type Method,
  type Packet,
  Request,
  type Response,
  type SipError,
  type Verdict,
} from "@sipkit/core";
import type { VirtualTransport } from "@sipkit/core/testing";
import type { Scene } from "./scene.ts";

/** A request that a phone sent and what came back. */
export class Sent {
  readonly request: Request;
  readonly responses: Response[] = [];
  readonly failures: SipError[] = [];
  transaction: ClientTransaction | undefined;

  constructor(request: Request) {
    this.request = request;
  }

  get statuses(): readonly number[] {
    return this.responses.map(({ status }) => status);
  }

  get last(): Response {
    const last = this.responses.at(-1);
    if (last === undefined) throw new Error("nothing was answered");
    return last;
  }
}

/** How a phone registers. */
export interface RegisterOptions {
  readonly user?: string;
  readonly q?: number;
  readonly instance?: string;
  readonly contact?: string;
}

/** A phone: a dispatcher with one leg whose handler is the test's. */
export class Phone {
  readonly name: string;
  readonly received: Request[] = [];
  readonly transport: VirtualTransport;
  readonly dispatcher: Dispatcher;
  /** What it says to a request. Default: 200. */
  answer: (request: Request) => Verdict;
  /** Whether it sends an ACK for each 2xx to an INVITE that opens a dialog. Default: true. */
  acknowledges = true;
  readonly #scene: Scene;
  readonly #address: LegAddress;
  #calls = 0;

  constructor(scene: Scene, name: string, address: LegAddress) {
    this.#scene = scene;
    this.name = name;
    this.#address = address;
    this.transport = scene.network.transport(address);
    this.answer = (request) => this.respond(request, 200);
    this.dispatcher = new Dispatcher({
      clock: scene.clock,
      legs: [{ listen: this.transport }],
      receiver: (packet: Packet): Verdict => {
        if (!packet.isRequest) return undefined;
        this.received.push(packet);
        return packet.method === "ACK" ? "drop" : this.answer(packet);
      },
      onError: (error) => scene.errors.push(error),
    });
  }

  get contact(): string {
    const [protocol, ...host] = this.#address.split(":");
    return `sip:${this.name}@${host.join(":")};transport=${protocol}`;
  }

  get methods(): readonly Method[] {
    return this.received.map(({ method }) => method);
  }

  /** The last request of a method that came. */
  got(method: Method): Request {
    const request = this.received.findLast((each) => each.method === method);
    if (request === undefined) throw new Error(`${this.name} got no ${method}`);
    return request;
  }

  respond(request: Request, status: number, headers: Record<string, string> = {}): Response {
    return request.createResponse(status, {
      headers: { Contact: `<${this.contact}>`, ...headers },
    });
  }

  /** Answers later what it left waiting. */
  deliver(request: Request, status: number, headers: Record<string, string> = {}): Response {
    const response = this.respond(request, status, headers);
    this.dispatcher.deliver(response);
    return response;
  }

  async register(options: RegisterOptions = {}): Promise<Sent> {
    const { user = this.name, q = 1, instance, contact = this.contact } = options;
    const tail = instance === undefined ? "" : `;+sip.instance="<${instance}>"`;
    const sent = this.send("REGISTER", "sip:example.com", {
      To: `<sip:${user}@example.com>`,
      Contact: `<${contact}>;q=${q}${tail}`,
    });
    await this.#scene.clock.advance(20);
    return sent;
  }

  /** Sends a request of its own to a proxy. */
  send(
    method: Method,
    uri: string,
    headers: Record<string, string | readonly string[]> = {},
    proxy = "192.0.2.1",
  ): Sent {
    this.#calls += 1;
    const base: HeadersInit = {
      "Max-Forwards": "70",
      From: `<sip:${this.name}@example.com>;tag=${this.name}${this.#calls}`,
      To: `<${uri}>`,
      "Call-ID": `${this.name}-${this.#calls}`,
      CSeq: `1 ${method}`,
      Contact: `<${this.contact}>`,
      ...headers,
    };
    return this.sendAs(
      new Request(method, uri, { headers: base }),
      `sip:${proxy}:5060;transport=${this.#protocol}`,
    );
  }

  /** Sends a request as it is: by its Routes, or to a URI. */
  sendAs(request: Request, to?: string): Sent {
    const sent = new Sent(request);
    sent.transaction = this.dispatcher.request(request, {
      ...(to === undefined ? {} : { to }),
      observer: {
        response: (response) => {
          sent.responses.push(response);
          const isInitial = request.method === "INVITE" && request.to.tag === undefined;
          if (this.acknowledges && isInitial && response.status >= 200 && response.status < 300) {
            this.dispatcher.deliver(request.createAck(response));
          }
        },
        failed: (error) => sent.failures.push(error),
      },
    });
    return sent;
  }

  get #protocol(): string {
    return this.#address.slice(0, this.#address.indexOf(":"));
  }
}
