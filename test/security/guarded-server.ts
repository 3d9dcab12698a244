import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { Authorize, type AuthorizeOptions, authorize } from "@sipkit/auth";
import {
  type AnyHandler,
  Dispatcher,
  type LegOptions,
  type Packet,
  type ParseLimits,
  parsePacket,
  Request,
  type Resolver,
  Response,
  type SipError,
} from "@sipkit/core";
import { type VirtualMessage, VirtualNetwork } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { type CurrentBinding, type MemoryStore, memoryStore, Registrar } from "@sipkit/registrar";
import { expect } from "vitest";
import { type Lines, message, REGISTER, userPart } from "./message.ts";

export const SERVER = "192.0.2.1";
/** Where packets come from unless a test says otherwise. */
const PHONE = "192.0.2.100";
/** Of every user. */
export const PASSWORD = "secret";
export const PASSWORDS: Readonly<Record<string, string>> = { alice: PASSWORD, bob: PASSWORD };

/** An answer to a line that is too long copies it. */
const LONGER: ParseLimits = { head: 70_000, line: 70_000, headers: 300, uri: 2_048 };

/** What became of bytes that the server was sent. */
export interface Outcome {
  /** What was sent back to where they came from. */
  readonly answers: readonly Response[];
  /** What the server sent elsewhere, or asked of the sender. */
  readonly forwarded: readonly VirtualMessage[];
  /** What came through to the handlers, credentials and all. */
  readonly seen: readonly Packet[];
  /** What was counted meanwhile. */
  readonly counted: Readonly<Record<string, number>>;
}

export interface GuardedServerOptions {
  /** Of `Authorize`, which has the example's otherwise. */
  readonly auth?: Partial<AuthorizeOptions>;
  /** Handlers before `Authorize`. */
  readonly before?: readonly AnyHandler[];
  /** Addresses of names that somebody else's DNS has. */
  readonly names?: Readonly<Record<string, string>>;
  /** Legs on real sockets, beside virtual UDP and TCP on 192.0.2.1. */
  readonly legs?: readonly LegOptions[];
}

/** The chain of `examples/registrar` on a virtual network, to which tests send what nobody should. */
export class GuardedServer {
  readonly net: VirtualNetwork;
  readonly store: MemoryStore = memoryStore();
  readonly registrar: Registrar = new Registrar({
    store: this.store,
    minExpires: 10,
    maxExpires: 3600,
  });
  readonly authorize: Authorize;
  readonly dispatcher: Dispatcher;
  readonly errors: SipError[] = [];
  readonly #pingStatus: number;
  #seen: Packet[] = [];

  private constructor(
    net: VirtualNetwork,
    resolver: Resolver,
    { auth = {}, before = [], legs = [] }: GuardedServerOptions,
  ) {
    this.net = net;
    const defaults = { realm: "example.com", credentials: PASSWORDS, allowPings: true };
    this.#pingStatus = auth.allowPings === false ? 401 : 200;
    this.authorize = new Authorize({ ...defaults, ...auth } as AuthorizeOptions);
    this.dispatcher = new Dispatcher({
      clock: this.net.clock,
      resolver,
      domains: ["example.com"],
      legs: [
        { listen: this.net.transport(`udp:${SERVER}:5060`) },
        { listen: this.net.transport(`tcp:${SERVER}:5060`) },
        ...legs,
      ],
      receiver: [
        (packet) => {
          this.#seen.push(packet.clone());
        },
        ...before,
        this.authorize,
        this.registrar,
        new Proxy(),
      ],
      onError: (error) => this.errors.push(error),
    });
  }

  static async start(options: GuardedServerOptions = {}): Promise<GuardedServer> {
    const net = new VirtualNetwork();
    // No name leads out of the test: the one that is known is the server's own.
    const host = net.node("server", {
      address: SERVER,
      names: ["example.com"],
      start: ({ resolver }) => resolver,
    });
    await net.start();
    const { names = {} } = options;
    const resolver: Resolver = {
      resolve(uri, means) {
        const name = Object.keys(names).find((each) => uri.includes(each)) ?? "";
        return host.app.resolve(uri.replace(name, names[name] ?? ""), means);
      },
    };
    const server = new GuardedServer(net, resolver, options);
    await server.dispatcher.listen();
    return server;
  }

  /** Sends bytes as one datagram, and lets 20 ms pass. What the server only repeats meanwhile is left out. */
  async send(wire: string | Uint8Array, from: string = PHONE): Promise<Outcome> {
    this.#seen = [];
    const before = this.dispatcher.counters();
    const earlier = new Set(this.net.log.map((each) => each.wire));
    const at = this.net.log.length;
    const sender = this.net.transport(`udp:${from}:5060`);
    sender.send(wire, { protocol: "udp", address: SERVER, port: 5060 });
    await this.net.run(20);
    const sent = this.net.log
      .slice(at)
      .filter((each) => each.from.startsWith(`${SERVER}:`) && !earlier.has(each.wire));
    return {
      answers: sent
        .filter(({ wire: text }) => text.startsWith("SIP/2.0 "))
        .map(({ wire: text }) => Response.parse(text, LONGER)),
      forwarded: sent.filter(({ wire: text }) => !text.startsWith("SIP/2.0 ")),
      seen: this.#seen,
      counted: difference(this.dispatcher.counters(), before),
    };
  }

  /**
   * The line that proves a user for a request of that method and URI: by a challenge that is fetched for it, with nothing in
   * it of the message that it goes into.
   */
  async proof(user: string, start: string, from: string = PHONE): Promise<string> {
    const From = `<sip:${userPart(user)}@example.com>;tag=1`;
    const request = Request.parse(message(start, { From }));
    const { answers } = await this.send(request.toWire(), from);
    const [challenge] = answers;
    if (challenge === undefined || !(await authorize(request, challenge, [user, PASSWORD]))) {
      throw new Error(`${start} was not challenged, but answered ${challenge?.toWire()}`);
    }
    const header = challenge.status === 401 ? "Authorization" : "Proxy-Authorization";
    return `${header}: ${request.headers.get(header)}`;
  }

  /** Sends a request with a user's proof in it. */
  async sendAs(
    user: string,
    start: string,
    lines: Lines = {},
    { body = "", from = PHONE }: { readonly body?: string; readonly from?: string } = {},
  ): Promise<Outcome> {
    const [name = "", value] = (await this.proof(user, start, from)).split(/: (.*)/, 2);
    const address = `<sip:${userPart(user)}@example.com>`;
    const own: Lines = start.startsWith("REGISTER") ? { To: address } : {};
    return this.send(
      message(start, { From: `${address};tag=1`, ...own, [name]: value, ...lines }, body),
      from,
    );
  }

  /** Binds a user to a Contact and gives the answer's status. */
  async register(user: string, contact: string, from: string = PHONE): Promise<number | undefined> {
    const outcome = await this.sendAs(user, REGISTER, { Contact: contact }, { from });
    return outcome.answers[0]?.status;
  }

  async bindings(user: string): Promise<readonly CurrentBinding[]> {
    return this.registrar.query(`sip:${user}@example.com`);
  }

  get alive(): readonly (readonly [name: string, count: number])[] {
    return Object.entries(this.dispatcher.stats()).filter(([, count]) => count !== 0);
  }

  /** That it still serves: a stranger is challenged, bob registers, and the server can be asked whether it is there. */
  async expectToServe(): Promise<void> {
    expect(await this.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101")).toBe(200);
    const ping = await this.send(message("OPTIONS sip:example.com"));
    expect(ping.answers.map(({ status }) => status)).toEqual([this.#pingStatus]);
  }

  /** Ends the test: the server still serves, reported nothing, and is idle once every timer has run out. */
  async end(): Promise<void> {
    await this.expectToServe();
    await this.net.run("10m");
    expect(this.errors).toEqual([]);
    expect(this.alive).toEqual([]);
    await this.dispatcher.close();
  }
}

/** A connection to a real socket of the server's. */
export class RawConnection {
  readonly socket: Socket;
  received = "";
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (piece) => {
      this.received += piece.toString("latin1");
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.isClosed = true;
      });
    }
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  /** What the server answered, in order. */
  get answers(): readonly Packet[] {
    const messages: Packet[] = [];
    for (let rest = this.received; rest !== ""; ) {
      const answer = parsePacket(rest);
      messages.push(answer);
      rest = rest.slice(answer.toWire().length);
    }
    return messages;
  }
}

/** Lets the event loop turn until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

function difference(
  after: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}
