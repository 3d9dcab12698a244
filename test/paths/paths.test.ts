import {
  type AnyHandler,
  Dispatcher,
  identity,
  type Packet,
  type Request,
  type Response,
  type SipError,
  Request as SipRequest,
  type Verdict,
} from "@sipkit/core";
import { VirtualNetwork } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { memoryStore, Registrar } from "@sipkit/registrar";
import { describe, expect, it } from "vitest";

const ALICE = "sip:alice@example.com";

/** Hosts at 192.0.2.1, .2 and so on, with a UDP and a TCP leg each. */
class World {
  readonly network = new VirtualNetwork();
  readonly errors: SipError[] = [];
  readonly cuts: Map<string, () => void> = new Map();
  #calls = 0;

  async server(
    host: string,
    receiver: readonly AnyHandler[],
    domains: readonly string[],
  ): Promise<Dispatcher> {
    const server = new Dispatcher({
      clock: this.network.clock,
      node: host,
      domains,
      legs: (["udp", "tcp"] as const).map((protocol) => {
        const listen = this.network.transport(`${protocol}:192.0.2.${host}:5060`);
        this.cuts.set(`${protocol}:${host}`, () => listen.cut());
        return { listen };
      }),
      receiver,
      onError: (error) => this.errors.push(error),
    });
    await server.listen();
    return server;
  }

  async phone(host: string): Promise<{ server: Dispatcher; got: Request[] }> {
    const got: Request[] = [];
    const answer = (packet: Packet): Verdict => {
      if (!packet.isRequest) return undefined;
      got.push(packet);
      if (packet.method === "ACK") return "drop";
      return packet.createResponse(200, {
        headers: { Contact: `<sip:x@192.0.2.${host};transport=tcp>` },
      });
    };
    return { server: await this.server(host, [answer], []), got };
  }

  /** Sends a request of a phone's to a host. */
  async ask(
    phone: Dispatcher,
    method: string,
    uri: string,
    to: string,
    headers: readonly (readonly [string, string])[] = [],
  ): Promise<Response> {
    this.#calls += 1;
    const request = new SipRequest(method, uri, {
      headers: [
        ["From", `<sip:caller@example.net>;tag=${this.#calls}`],
        ["To", `<${uri.startsWith("sip:example") ? ALICE : uri}>`],
        ["Call-ID", `call-${this.#calls}`],
        ["CSeq", `${this.#calls} ${method}`],
        ["Max-Forwards", "70"],
        ...headers,
      ],
    });
    const { final } = phone.request(request, { to });
    await this.network.clock.advance(200);
    return final;
  }
}

/** Stands for an authenticator of an edge proxy's. */
const everybody = (packet: Packet): Verdict => {
  if (!packet.isRequest) return undefined;
  packet.set(identity, { user: "x", realm: "x", addressOfRecord: ALICE, scheme: "test" });
  return undefined;
};

const contact = (host: string, more = ""): readonly [string, string] => [
  "Contact",
  `<sip:alice@192.0.2.${host};transport=tcp>${more}`,
];
const at = (host: string): string => `sip:192.0.2.${host};transport=tcp`;

describe("nodes that share a store, RFC 5626 §6", () => {
  const start = async () => {
    const world = new World();
    const store = memoryStore();
    const shared = { ...store, close: () => undefined };
    for (const method of ["read", "update", "expire", "nextExpiry"] as const) {
      Object.assign(shared, { [method]: store[method].bind(store) });
    }
    const node = (host: string): Promise<Dispatcher> =>
      world.server(
        host,
        [new Registrar({ store: shared, nodePath: true }), new Proxy()],
        ["example.com"],
      );
    await node("1");
    await node("2");
    const [alice, bob] = [await world.phone("10"), await world.phone("20")];
    const registered = await world.ask(alice.server, "REGISTER", "sip:example.com", at("1"), [
      contact("10"),
    ]);
    expect(registered.status).toBe(200);
    return { world, alice, bob, store };
  };

  it("call a phone over the connection that another node has", async () => {
    const { world, alice, bob } = await start();
    const answer = await world.ask(bob.server, "INVITE", ALICE, at("2"), [contact("20")]);
    expect(answer.status).toBe(200);
    const [invite] = alice.got;
    expect(invite?.uri).toBe("sip:alice@192.0.2.10;transport=tcp");
    expect(invite?.headers.has("route")).toBe(false);
    // Both nodes stay on the dialog's path, with two Routes each.
    expect(invite?.headers.getAll("record-route")).toHaveLength(4);
    // Over the connection that the phone opened, and not one to it.
    expect(invite?.arrival?.from.port).toBe(5060);
    expect((await world.ask(bob.server, "INVITE", ALICE, at("1"))).status).toBe(200);
    expect(world.errors).toEqual([]);
  });

  it("remove a binding when the other node has lost its connection", async () => {
    const { world, bob, store } = await start();
    expect(store.bindings).toBe(1);
    // As after a crash of the first node: nothing was removed.
    const kept = store.read(ALICE) ?? [];
    world.cuts.get("tcp:10")?.();
    await world.network.clock.advance(100);
    expect(store.bindings).toBe(0);
    store.update(ALICE, () => kept);
    expect((await world.ask(bob.server, "INVITE", ALICE, at("2"))).status).toBe(480);
    await world.network.clock.advance(100);
    expect(store.bindings).toBe(0);
  });

  it("let nobody in by a Path that they did not sign", async () => {
    const { world, bob, store } = await start();
    const [path = ""] = store.read(ALICE)?.[0]?.path ?? [];
    expect(path).toMatch(/^<sip:[\w-]+@192\.0\.2\.1:5060;lr;ob>$/);
    const forged = path.replace(/.@/, (end) => (end === "A@" ? "B@" : "A@"));
    const route = (text: string): readonly (readonly [string, string])[] => [["Route", text]];
    expect(
      (await world.ask(bob.server, "INVITE", "sip:alice@192.0.2.10", at("1"), route(forged)))
        .status,
    ).toBe(403);
    expect(
      (await world.ask(bob.server, "INVITE", "sip:alice@192.0.2.10", at("1"), route(path))).status,
    ).toBe(200);
  });
});

describe("an edge proxy in front of a registrar, RFC 5626 §5", () => {
  const start = async (path: boolean) => {
    const world = new World();
    const store = memoryStore();
    await world.server("1", [everybody, new Proxy({ path })], []);
    await world.server("2", [new Registrar({ store }), new Proxy()], ["example.com"]);
    const [alice, bob] = [await world.phone("10"), await world.phone("20")];
    const register = (): Promise<Response> =>
      world.ask(alice.server, "REGISTER", "sip:example.com", at("1"), [
        contact("10", ';reg-id=1;+sip.instance="<urn:uuid:1>"'),
        ["Supported", "path, outbound"],
        ["Route", "<sip:192.0.2.2;lr>"],
      ]);
    return { world, store, alice, bob, register };
  };

  it("keeps the phone's flow, which calls come back over", async () => {
    const { world, alice, bob, register } = await start(true);
    const registered = await register();
    expect(registered.status).toBe(200);
    expect(registered.headers.getAll("require")).toEqual(["outbound"]);
    expect(registered.headers.getAll("path")).toHaveLength(1);
    expect((await world.ask(bob.server, "INVITE", ALICE, at("2"), [contact("20")])).status).toBe(
      200,
    );
    expect(alice.got.map(({ method }) => method)).toEqual(["INVITE"]);
    expect(alice.got[0]?.arrival?.from.port).toBe(5060);
    expect(world.errors).toEqual([]);
  });

  it("says 430 when the flow is gone, and the registrar forgets it", async () => {
    const { world, store, bob, register } = await start(true);
    await register();
    expect(store.bindings).toBe(1);
    world.cuts.get("tcp:10")?.();
    await world.network.clock.advance(100);
    expect((await world.ask(bob.server, "INVITE", ALICE, at("2"))).status).toBe(480);
    await world.network.clock.advance(100);
    expect(store.bindings).toBe(0);
  });

  it("is no edge proxy unless told so: a phone that wants its flow kept learns it by 439", async () => {
    const { register, store } = await start(false);
    expect((await register()).status).toBe(439);
    expect(store.bindings).toBe(0);
  });
});
