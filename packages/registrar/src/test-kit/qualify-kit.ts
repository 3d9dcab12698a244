import {
  type Dispatcher,
  onRequest,
  type Request,
  type Response,
  type Target,
  targets,
} from "@sipkit/core";
import { VirtualNetwork, type VirtualNode } from "@sipkit/core/testing";
import { Registrar } from "../registrar.ts";
import type { RegistrarOptions } from "../registrar-options.ts";

export const ALICE: string = "sip:alice@server";
interface App {
  readonly server: Dispatcher;
  readonly registrar: Registrar;
  readonly found: (readonly Target[])[];
}

/** A REGISTER: where to, whose, and what it says. */
interface Registration {
  readonly at?: string;
  readonly user?: string;
  readonly contact?: string | undefined;
  readonly cseq?: number;
}

/** A registrar's node, and phones that each are a host, on one network. */
export class Scene {
  readonly net: VirtualNetwork = new VirtualNetwork({ seed: 7, latency: 10 });
  readonly log: string[] = [];
  readonly #options: RegistrarOptions;
  readonly server: VirtualNode<App>;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.server = this.registrarNode("server");
  }

  /** Further ones share the store that is given. */
  registrarNode(name: string): VirtualNode<App> {
    return this.net.node(name, {
      start: async (host) => {
        const registrar = new Registrar({ maxExpires: 3600, domains: "server", ...this.#options });
        for (const event of ["reachable", "unreachable"] as const) {
          registrar.events.on(event, ({ binding, roundTripTime }) =>
            this.log.push(
              [this.seconds, event, binding.uri, roundTripTime ?? ""].join(" ").trimEnd(),
            ),
          );
        }
        registrar.events.on("lost", ({ binding }) =>
          this.log.push(`${this.seconds} lost ${binding.uri}`),
        );
        const found: (readonly Target[])[] = [];
        const catcher = onRequest("*", (request) => {
          found.push(request.get(targets) ?? []);
          return request.createResponse(499);
        });
        const server = await host.serve({
          domains: ["server"],
          node: name,
          receiver: [registrar, catcher],
        });
        return { server, registrar, found };
      },
    });
  }

  get seconds(): number {
    return Math.round(this.net.clock.now() / 100) / 10;
  }

  /** A phone that answers OPTIONS by itself, or as it is told. */
  phone(name: string, answer?: (request: Request) => Response | "drop"): VirtualNode<Dispatcher> {
    return this.net.node(name, (host) =>
      host.serve(answer === undefined ? {} : { receiver: onRequest("OPTIONS", answer) }),
    );
  }

  async register(
    phone: VirtualNode<Dispatcher>,
    { at = "server", user = "alice", contact = "", cseq = 1 }: Registration = {},
  ): Promise<number> {
    const request = phone.newRequest("REGISTER", "sip:server", {
      To: `<sip:${user}@server>`,
      From: `<sip:${user}@server>;tag=1`,
      "Call-ID": phone.name,
      CSeq: `${cseq} REGISTER`,
      Contact: contact || `<sip:${phone.name}@${phone.address}>`,
      Expires: "3600",
    });
    return (await this.net.until(phone.app.request(request, { to: `sip:${at}` }).final)).status;
  }

  /** When pings were sent to a host, in seconds; without retransmissions. */
  pings(host: string): readonly number[] {
    return this.net
      .messages({ to: host, method: "OPTIONS" })
      .filter(({ wire }, index, all) => all.findIndex((other) => other.wire === wire) === index)
      .map(({ at }) => Math.round(at / 100) / 10);
  }

  get registrar(): Registrar {
    return this.server.app.registrar;
  }

  counters(): Readonly<Record<string, number>> {
    return this.server.app.server.counters();
  }

  /** The hosts that a request to alice would go to, with the q that they have then. */
  async targets(caller: VirtualNode<Dispatcher>): Promise<readonly string[]> {
    await this.net.until(caller.app.request(caller.newRequest("MESSAGE", ALICE)).final);
    const found = this.server.app.found.at(-1) ?? [];
    return found.map(({ uri, q }) => `${uri} ${q}`);
  }
}
