import { identity, onRequest, type Protocol, Request, type Response } from "@sipkit/core";
import { type VirtualHost, VirtualNetwork, type VirtualNode } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { Registrar } from "../registrar.ts";
import { told } from "../test-kit/watch-kit.ts";
import { contactOf } from "./dialog.ts";
import type { MaySubscribe } from "./options.ts";
import { RegEvents } from "./reg-events.ts";

const ALICE = "sip:alice@example.com";

interface Phone {
  readonly notifies: Request[];
  ask(request: Request): Promise<Response>;
}

/** A phone that says 200 to each NOTIFY; what it sends goes to the server, whatever it says. */
async function phone(host: VirtualHost, protocol: "udp" | "tcp"): Promise<Phone> {
  const notifies: Request[] = [];
  const dispatcher = await host.serve({
    legs: [protocol],
    receiver: onRequest("NOTIFY", (notify) => {
      notifies.push(notify);
      return notify.createResponse(200);
    }),
  });
  const to = `sip:192.0.2.1;transport=${protocol}`;
  return { notifies, ask: (request) => dispatcher.request(request, { to }).final };
}

/** Of a phone behind a proxy. */
function via(protocol: "udp" | "tcp"): string {
  return `SIP/2.0/${protocol.toUpperCase()} 192.0.2.77;branch=z9hG4bKphone`;
}

interface World {
  readonly net: VirtualNetwork;
  readonly alice: VirtualNode<Phone>;
  readonly victim: VirtualNode<Phone>;
  subscribe(headers?: Readonly<Record<string, string>>): Promise<Response>;
}

async function world(protocol: "udp" | "tcp", who: "alice" | "nobody" = "alice"): Promise<World> {
  const net = new VirtualNetwork();
  const maySubscribe: MaySubscribe = () => true;
  const identify = onRequest("SUBSCRIBE", (request) => {
    if (who === "nobody") return;
    const realm = "example.com";
    request.set(identity, { user: who, realm, addressOfRecord: ALICE, scheme: "test" });
  });
  net.node("server", {
    address: "192.0.2.1",
    start: (host) => {
      const registrar = new Registrar();
      const receiver = [identify, new RegEvents(registrar, { maySubscribe }), registrar];
      return host.serve({ domains: ["example.com"], receiver });
    },
  });
  const alice = net.node("alice", (host) => phone(host, protocol));
  const victim = net.node("victim", (host) => phone(host, protocol));
  await net.start();
  return {
    net,
    alice,
    victim,
    subscribe: (headers = {}) =>
      net.until(alice.app.ask(alice.newRequest("SUBSCRIBE", ALICE, { Event: "reg", ...headers }))),
  };
}

describe("our Contact", () => {
  it.each<[string, Protocol, string]>([
    [ALICE, "udp", "<sip:192.0.2.1:5060>"],
    [ALICE, "tcp", "<sip:192.0.2.1:5060;transport=tcp>"],
    [ALICE, "tls", "<sip:192.0.2.1:5060;transport=tls>"],
    [ALICE, "wss", "<sip:192.0.2.1:5060;transport=ws>"],
    ["sips:alice@example.com", "tls", "<sips:192.0.2.1:5060>"],
    ["sips:alice@example.com", "wss", "<sips:192.0.2.1:5060;transport=ws>"],
    ["sips:alice@example.com", "udp", "<sip:192.0.2.1:5060>"],
  ])("to %s over %s is %s", (uri, protocol, expected) => {
    const leg = { protocol, address: "192.0.2.1", port: 5060, sentBy: "192.0.2.1:5060" };
    expect(contactOf(new Request("SUBSCRIBE", uri), leg)).toBe(expected);
  });
});

describe.each(["udp", "tcp"] as const)("where NOTIFYs go, over %s", (protocol) => {
  it.each(["alice", "nobody"] as const)(
    "is where %s sent from, whatever a Contact says",
    async (who) => {
      const { net, alice, victim, subscribe } = await world(protocol, who);
      const headers = {
        Contact: `<sip:alice@${victim.address};transport=${protocol}>`,
        "Record-Route": `<sip:${victim.address};lr;transport=${protocol}>`,
        // A stranger isn't believed to be behind a proxy.
        ...(who === "nobody" && { Via: via(protocol) }),
      };
      expect((await subscribe(headers)).status).toBe(200);
      await net.run("1s");
      const [notify] = alice.app.notifies;
      expect(told(notify)).toBe("0 full init:");
      expect(notify?.uri).toContain(victim.address);
      expect(victim.app.notifies).toEqual([]);
      // What is still on its way ends, and then nothing is left but the subscription.
      await net.run("40s");
      expect(net.errors).toEqual([]);
    },
  );

  it("follows the route of a proxy that a known sender's request came through", async () => {
    const { net, alice, victim, subscribe } = await world(protocol);
    const headers = {
      Via: via(protocol),
      Contact: "<sip:alice@phone.invalid>",
      "Record-Route": `<sip:hop@${victim.address};lr;transport=${protocol}>, <sip:next.invalid;lr>`,
    };
    expect((await subscribe(headers)).status).toBe(200);
    await net.run("1s");
    const [notify] = victim.app.notifies;
    expect(notify?.uri).toBe("sip:alice@phone.invalid");
    // It has taken its own off.
    expect(notify?.headers.getAll("route")).toEqual(["<sip:next.invalid;lr>"]);
    expect(alice.app.notifies).toEqual([]);
  });

  it("yields to a strict router", async () => {
    const { net, victim, subscribe } = await world(protocol);
    const hop = `sip:hop@${victim.address};transport=${protocol}`;
    const headers = {
      Via: via(protocol),
      Contact: "<sip:alice@phone.invalid>",
      "Record-Route": `<${hop}>, <sip:next.invalid;lr>`,
    };
    expect((await subscribe(headers)).status).toBe(200);
    await net.run("1s");
    const [notify] = victim.app.notifies;
    expect(notify?.uri).toBe(hop);
    expect(notify?.headers.getAll("route")).toEqual([
      "<sip:next.invalid;lr>",
      "<sip:alice@phone.invalid>",
    ]);
  });
});
