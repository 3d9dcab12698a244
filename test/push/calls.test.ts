import {
  type AnyHandler,
  Dispatcher,
  type LegAddress,
  type Method,
  malformedChannel,
  type Packet,
  Request,
  type Response,
  type SipError,
  type Verdict,
} from "@sipkit/core";
import { VirtualNetwork } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { type PushNotification, type PushOptions, Registrar } from "@sipkit/registrar";
import { expect, it } from "vitest";

const TOKEN = "SECRET-TOKEN";
const SERVER = "192.0.2.1";

/** A server that wakes devices, and phones. */
class Scene {
  readonly network = new VirtualNetwork();
  readonly errors: SipError[] = [];
  readonly pushed: PushNotification[] = [];
  /** What the push service does: the device wakes up. */
  wakeUp: (notification: PushNotification) => void = () => undefined;
  readonly server: Dispatcher;

  constructor(push: Partial<PushOptions> = {}) {
    const acme = (notification: PushNotification): void => {
      this.pushed.push(notification);
      this.wakeUp(notification);
    };
    const registrar = new Registrar({ push: { providers: { acme }, awakeFor: 0, ...push } });
    this.server = this.dispatcher(["udp", "tcp"], SERVER, 5060, [registrar, new Proxy()]);
  }

  dispatcher(
    protocols: readonly ("udp" | "tcp")[],
    address: string,
    port: number,
    receiver: AnyHandler | readonly AnyHandler[],
  ): Dispatcher {
    return new Dispatcher({
      clock: this.network.clock,
      domains: ["example.com"],
      legs: protocols.map((protocol) => {
        const leg: LegAddress = `${protocol}:${address}:${port}`;
        return { listen: this.network.transport(leg) };
      }),
      receiver,
      onError: (error) => this.errors.push(error),
    });
  }

  async phone(name: string, port: number, protocol: "udp" | "tcp" = "udp"): Promise<Phone> {
    const phone = new Phone(this, name, port, protocol);
    await phone.dispatcher.listen();
    return phone;
  }

  advance(ms: number): Promise<void> {
    return this.network.clock.advance(ms);
  }
}

class Phone {
  readonly got: Request[] = [];
  readonly statuses: number[] = [];
  readonly responses: Response[] = [];
  readonly dispatcher: Dispatcher;
  readonly #contact: string;
  readonly #protocol: "udp" | "tcp";
  #cseq = 0;
  cancel: () => void = () => undefined;
  answer = (request: Request): Verdict => this.respond(request, 200);

  constructor(scene: Scene, name: string, port: number, protocol: "udp" | "tcp") {
    const address = "198.51.100.7";
    this.#contact = `sip:${name}@${address}:${port};transport=${protocol}`;
    this.#protocol = protocol;
    this.dispatcher = scene.dispatcher([protocol], address, port, (packet: Packet): Verdict => {
      if (!packet.isRequest) return undefined;
      this.got.push(packet);
      return packet.method === "ACK" ? "drop" : this.answer(packet);
    });
  }

  get methods(): readonly Method[] {
    return this.got.map(({ method }) => method);
  }

  respond(request: Request, status: number): Response {
    return request.createResponse(status, { headers: { Contact: `<${this.#contact}>` } });
  }

  register(token?: string): void {
    const push = token === undefined ? "" : `;pn-provider=acme;pn-param=p;pn-prid=${token}`;
    this.send("REGISTER", "sip:example.com", "sip:bob@example.com", `<${this.#contact}${push}>`);
  }

  /** Calls, and acknowledges whoever answers. */
  send(method: Method, uri: string, to = uri, contact = `<${this.#contact}>`): void {
    this.#cseq += 1;
    const headers = {
      "Max-Forwards": "70",
      From: `<${to}>;tag=${this.#contact.length}`,
      To: `<${to}>`,
      "Call-ID": `${this.#contact}${method === "REGISTER" ? "" : this.#cseq}`,
      CSeq: `${this.#cseq} ${method}`,
      Contact: contact,
    };
    const request = new Request(method, uri, { headers });
    const transaction = this.dispatcher.request(request, {
      to: `sip:${SERVER};transport=${this.#protocol}`,
      observer: {
        response: (response) => {
          this.responses.push(response);
          this.statuses.push(response.status);
          if (method === "INVITE" && response.status >= 200 && response.status < 300) {
            this.dispatcher.deliver(request.createAck(response));
          }
        },
        failed: () => this.statuses.push(0),
      },
    });
    this.cancel = () => transaction.cancel();
  }

  finals(): readonly number[] {
    return this.statuses.filter((status) => status >= 200);
  }
}

const hidden = (text: string): void => expect(text).not.toContain("SECRET");

it.each(["INVITE", "MESSAGE"])(
  "%s: the device is woken, comes back from another port, and takes it",
  async (method) => {
    const scene = new Scene();
    await scene.server.listen();
    const before = await scene.phone("bob", 1001);
    before.register(TOKEN);
    await scene.advance(100);
    expect(before.responses.at(-1)?.headers.get("feature-caps")).toBe('*;+sip.pns="acme"');
    await before.dispatcher.close();
    let bob: Phone | undefined;
    scene.wakeUp = () => {
      void scene.phone("bob", 1002).then((phone) => {
        bob = phone;
        scene.network.clock.setTimer(2000, () => phone.register(TOKEN));
      });
    };
    const alice = await scene.phone("alice", 5062);
    alice.send(method, "sip:bob@example.com");
    await scene.advance(1500);
    expect(alice.finals()).toEqual([]);
    await scene.advance(1000);
    expect(alice.finals()).toEqual([200]);
    expect(bob?.methods).toEqual(method === "INVITE" ? ["INVITE", "ACK"] : ["MESSAGE"]);
    // The 200 to its REGISTER came first.
    expect(bob?.finals()).toEqual([200]);
    for (const request of bob?.got ?? []) hidden(request.toWire());
    for (const response of alice.responses) hidden(response.toWire());
    expect([scene.pushed.length, scene.errors]).toEqual([1, []]);
    expect(scene.server.stats()).toMatchObject({ waitingRequests: 0 });
  },
);

it("answers 480 when the device doesn't come, to INVITE and MESSAGE alike", async () => {
  const scene = new Scene();
  await scene.server.listen();
  const bob = await scene.phone("bob", 1001);
  bob.register(TOKEN);
  const callers = [await scene.phone("alice", 5062), await scene.phone("carol", 5063)] as const;
  await scene.advance(100);
  callers[0].send("INVITE", "sip:bob@example.com");
  callers[1].send("MESSAGE", "sip:bob@example.com");
  await scene.advance(5900);
  expect(callers.map((caller) => caller.finals())).toEqual([[], []]);
  await scene.advance(200);
  expect(callers.map((caller) => caller.finals())).toEqual([[480], [480]]);
  expect([scene.pushed.length, bob.got]).toEqual([1, []]);
});

it("a CANCEL while the request is held is answered 487, and the device that comes gets nothing", async () => {
  const scene = new Scene();
  await scene.server.listen();
  const bob = await scene.phone("bob", 1001);
  bob.register(TOKEN);
  const alice = await scene.phone("alice", 5062);
  await scene.advance(100);
  alice.send("INVITE", "sip:bob@example.com");
  await scene.advance(1000);
  alice.cancel();
  await scene.advance(100);
  expect(alice.finals()).toEqual([487]);
  bob.register(TOKEN);
  await scene.advance(10_000);
  expect([bob.got, alice.finals()]).toEqual([[], [487]]);
});

it("rings the device that is there at once, and the one that was woken beside", async () => {
  const scene = new Scene();
  await scene.server.listen();
  const desk = await scene.phone("desk", 1001, "tcp");
  const mobile = await scene.phone("mobile", 1002);
  for (const phone of [desk, mobile]) {
    phone.answer = (request) => {
      if (request.method !== "INVITE") return phone.respond(request, 200);
      request.signal.addEventListener("abort", () => {
        phone.dispatcher.deliver(phone.respond(request, 487));
      });
      phone.dispatcher.deliver(phone.respond(request, 180));
      return "later";
    };
  }
  desk.register();
  mobile.register(TOKEN);
  const alice = await scene.phone("alice", 5062);
  await scene.advance(100);
  alice.send("INVITE", "sip:bob@example.com");
  await scene.advance(500);
  expect([desk.methods, mobile.methods, alice.statuses.filter((each) => each > 100)]).toEqual([
    ["INVITE"],
    [],
    [180],
  ]);
  mobile.register(TOKEN);
  await scene.advance(100);
  expect(mobile.methods).toEqual(["INVITE"]);
  const [invite] = mobile.got as [Request];
  mobile.dispatcher.deliver(mobile.respond(invite, 200));
  await scene.advance(1000);
  expect(alice.finals()).toEqual([200]);
  expect(desk.got[0]?.signal.aborted).toBe(true);
  expect(scene.errors).toEqual([]);
});

it("tells a token neither in errors nor over the channel of what can't be read", async () => {
  const scene = new Scene({
    providers: {
      acme: ({ prid }) => {
        throw new Error(`unknown: ${prid}`);
      },
    },
  });
  await scene.server.listen();
  const heard: unknown[] = [];
  const listener = (event: unknown): void => void heard.push(event);
  malformedChannel.subscribe(listener);
  const bob = await scene.phone("bob", 1001);
  bob.register(TOKEN);
  bob.register(`${TOKEN};pn-prid=${TOKEN}`);
  bob.register(`${TOKEN}${"x".repeat(4096)}`);
  const alice = await scene.phone("alice", 5062);
  await scene.advance(100);
  alice.send("INVITE", "sip:bob@example.com");
  await scene.advance(1000);
  malformedChannel.unsubscribe(listener);
  expect(bob.finals()).toEqual([200, 400, 403]);
  expect(alice.finals()).toEqual([480]);
  expect(scene.errors.map(({ code }) => code)).toEqual(["SIP_PUSH"]);
  for (const { message, stack = "", cause } of scene.errors)
    hidden(`${message}${stack}${String(cause)}`);
  for (const response of bob.responses.slice(1)) hidden(response.toWire());
  hidden(JSON.stringify(heard));
});
