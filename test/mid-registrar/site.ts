import { Authorize, DigestClient } from "@sipkit/auth";
import {
  type AnyHandler,
  type Dispatcher,
  type Method,
  onRequest,
  type Packet,
  type Request,
  type Response,
  type Server,
} from "@sipkit/core";
import { VirtualNetwork, type VirtualNode } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import {
  MidRegistrar,
  type MidRegistrarOptions,
  Registrar,
  type RegistrarOptions,
} from "@sipkit/registrar";

const DOMAIN = "example.com";

/** What runs on one of the two servers. */
export interface Running<R> {
  readonly server: Dispatcher;
  readonly registrar: R;
}

/** How a site differs from one with defaults. */
export interface SiteOptions {
  readonly mid?: Partial<MidRegistrarOptions>;
  /** Before the mid-registrar. */
  readonly before?: readonly AnyHandler[];
  readonly upstream?: RegistrarOptions;
  /** Whether the upstream asks for credentials. Default: true. */
  readonly isOpen?: boolean;
}

/** Users, all with the password "secret". */
const credentials = Object.fromEntries(
  ["alice", "bob", "mid", ...Array.from({ length: 20 }, (_, n) => `user${n}`)].map((name) => [
    name,
    "secret",
  ]),
);

/** An authenticator that knows every user of a site. */
export function authorize(): Authorize {
  return new Authorize({ realm: DOMAIN, credentials, mayRegister: { mid: everybody() } });
}

function everybody(): readonly string[] {
  return Object.keys(credentials).map((name) => `sip:${name}@${DOMAIN}`);
}

/** A network with a registrar that asks for credentials, a mid-registrar before it, and phones. */
export class Site {
  readonly net: VirtualNetwork = new VirtualNetwork();
  readonly mid: VirtualNode<Running<MidRegistrar>>;
  readonly upstream: VirtualNode<Running<Registrar>>;

  private constructor({ mid = {}, before = [], upstream = {}, isOpen = false }: SiteOptions) {
    this.upstream = this.net.node("upstream", async (host) => {
      const registrar = new Registrar({ maxExpires: 7200, ...upstream });
      const receiver = [...(isOpen ? [] : [authorize()]), registrar, new Proxy()];
      return { server: await host.serve({ domains: [DOMAIN], receiver }), registrar };
    });
    this.mid = this.net.node("mid", async (host) => {
      const registrar = new MidRegistrar({
        upstream: "sip:upstream",
        maxExpires: 60,
        outgoingJitter: 0,
        ...mid,
      });
      const receiver = [...before, registrar, new Proxy()];
      return { server: await host.serve({ domains: [DOMAIN], receiver }), registrar };
    });
  }

  static async start(options: SiteOptions = {}): Promise<Site> {
    const site = new Site(options);
    await site.net.start();
    return site;
  }

  async phone(user: string, name: string = user): Promise<Phone> {
    const phone = new Phone(this, user, name);
    await this.net.until(phone.node.start());
    return phone;
  }

  /** What the mid-registrar has counted. */
  counted(name: string): number {
    return this.mid.app.server.counters()[name] ?? 0;
  }

  /** What the mid-registrar has sent to the upstream. */
  upstreamRequests(method: Method): readonly Packet[] {
    return this.net.messages({ from: "mid", to: "upstream", method }).map(({ packet }) => packet);
  }

  /** How many REGISTERs the upstream was sent, retransmissions left out. */
  get upstreamRegisters(): number {
    return new Set(this.upstreamRequests("REGISTER").map(({ branch }) => branch)).size;
  }

  /** Where the upstream reaches a user. */
  async upstreamUris(user: string): Promise<readonly string[]> {
    const bindings = await this.upstream.app.registrar.query(`sip:${user}@${DOMAIN}`);
    return bindings.map(({ uri }) => uri);
  }

  /** Where the mid-registrar reaches a user. */
  async midUris(user: string): Promise<readonly string[]> {
    const bindings = await this.mid.app.registrar.registrar.query(`sip:${user}@${DOMAIN}`);
    return bindings.map(({ uri }) => uri);
  }
}

/** How a phone registers. */
export interface Registering {
  readonly expires?: number;
  /** The Contact's URI; `undefined`: its own. */
  readonly contact?: string;
  /** After the URI. */
  readonly params?: string;
  readonly callId?: string;
  /** Default: one more than the last time. */
  readonly cseq?: number;
  /** Without credentials, whatever is asked for. */
  readonly isStranger?: boolean;
}

/** A phone: registers with the mid-registrar, and answers calls. */
export class Phone {
  readonly got: Request[] = [];
  readonly #site: Site;
  readonly node: VirtualNode<Dispatcher>;
  readonly #user: string;
  #client: DigestClient;
  #cseq = 0;

  constructor(site: Site, user: string, name: string) {
    this.#site = site;
    this.#user = user;
    this.#client = this.#newClient();
    this.node = site.net.node(name, (host) =>
      host.serve({
        receiver: onRequest("*", (request) => {
          this.got.push(request);
          if (request.method === "ACK") return "drop";
          return request.createResponse(200, { headers: { Contact: `<${this.uri}>` } });
        }),
      }),
    );
  }

  get uri(): string {
    return `sip:${this.#user}@${this.node.address}`;
  }

  /** Registers, with credentials where it is asked for them. */
  register(how: Registering = {}): Promise<Response> {
    return this.#site.net.until(this.send(how));
  }

  /** The same, without time passing by itself. */
  send({
    expires = 60,
    contact = this.uri,
    params = "",
    ...how
  }: Registering = {}): Promise<Response> {
    return this.#send("REGISTER", `sip:${DOMAIN}`, how, {
      To: `<sip:${this.#user}@${DOMAIN}>`,
      "Call-ID": how.callId ?? this.node.name,
      Expires: String(expires),
      Contact: contact === "*" ? "*" : `<${contact}>${params}`,
    });
  }

  fetch(how: Registering = {}): Promise<Response> {
    const headers = { To: `<sip:${this.#user}@${DOMAIN}>`, Contact: [] };
    return this.#site.net.until(this.#send("REGISTER", `sip:${DOMAIN}`, how, headers));
  }

  call(uri: string, how: Registering = {}): Promise<Response> {
    return this.#site.net.until(this.#send("INVITE", uri, how, {}));
  }

  async #send(
    method: string,
    uri: string,
    { isStranger = false, cseq = this.#cseq + 1 }: Registering,
    headers: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<Response> {
    const server: Server = this.node.app;
    this.#cseq = cseq;
    const request = this.node.newRequest(method, uri, {
      From: `<sip:${this.#user}@${DOMAIN}>;tag=${server.random.token()}`,
      CSeq: `${this.#cseq} ${method}`,
      ...headers,
    });
    const options = { to: "sip:mid" };
    if (isStranger) return server.request(request, options).final;
    const response = await this.#client.request(server, request, options);
    this.#cseq = request.cseq.number;
    return response;
  }

  #newClient(): DigestClient {
    return new DigestClient({ credentials: { [DOMAIN]: [this.#user, "secret"] } });
  }
}
