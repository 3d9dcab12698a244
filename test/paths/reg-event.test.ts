import { identity, onRequest, type Request, type Response } from "@sipkit/core";
import { type VirtualHost, VirtualNetwork, type VirtualNode } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { RegEvents, Registrar } from "@sipkit/registrar";
import { describe, expect, it } from "vitest";

const ALICE = "sip:alice@example.com";

interface Phone {
  readonly notifies: Request[];
  ask(request: Request): Promise<Response>;
}

/** A phone whose Contact leads nowhere: what reaches it comes over its own connection. */
async function phone(host: VirtualHost): Promise<Phone> {
  const notifies: Request[] = [];
  const dispatcher = await host.serve({
    legs: ["tcp"],
    receiver: onRequest("NOTIFY", (notify) => {
      notifies.push(notify);
      return notify.createResponse(200);
    }),
  });
  return { notifies, ask: (request) => dispatcher.request(request).final };
}

/** Stands for an authenticator. */
const alice = onRequest("*", (request) => {
  request.set(identity, { user: "alice", realm: "x", addressOfRecord: ALICE, scheme: "test" });
});

/** The body of a NOTIFY, without what stands in every document. */
function contactsIn(notify: Request | undefined): string {
  return [...String(notify && Buffer.from(notify.body)).matchAll(/event="\w+"|<uri>[^<]*/g)]
    .map(([text]) => text)
    .join(" ");
}

describe("a phone behind an edge proxy that watches its registrations", () => {
  it("is told over its connection to the edge, refreshes, and ends it", async () => {
    const net = new VirtualNetwork();
    const registrar = new Registrar();
    const regEvents = new RegEvents(registrar);
    net.node("edge", {
      address: "192.0.2.1",
      start: (host) => host.serve({ receiver: [alice, new Proxy({ path: true })] }),
    });
    net.node("home", {
      address: "192.0.2.2",
      names: ["example.com"],
      start: (host) => {
        const receiver = [alice, regEvents, registrar, new Proxy()];
        return host.serve({ domains: ["example.com"], receiver });
      },
    });
    const node: VirtualNode<Phone> = net.node("phone", (host) => phone(host));
    await net.start();
    const callId = "watch";
    let cseq = 0;
    const ask = (
      method: string,
      uri: string,
      headers: Readonly<Record<string, string | readonly string[]>>,
    ): Promise<Response> => {
      cseq += 1;
      const request = node.newRequest(method, uri, {
        To: `<${ALICE}>`,
        From: `<${ALICE}>;tag=phone`,
        Contact: "<sip:alice@phone.invalid;transport=tcp>",
        "Call-ID": callId,
        CSeq: `${cseq} ${method}`,
        Route: "<sip:192.0.2.1;transport=tcp;lr>",
        ...headers,
      });
      return net.until(node.app.ask(request));
    };
    const subscribed = await ask("SUBSCRIBE", ALICE, { Event: "reg" });
    expect(subscribed.status).toBe(200);
    await net.run("6s");
    await ask("REGISTER", "sip:example.com", { "Call-ID": "register", Supported: "path" });
    await net.run("1s");
    const { notifies } = node.app;
    const added = 'event="registered" <uri>sip:alice@phone.invalid;transport=tcp';
    expect(notifies.map(contactsIn)).toEqual(["", added]);
    const within = {
      Event: "reg",
      To: subscribed.headers.get("to") ?? "",
      Route: subscribed.headers.getAll("record-route").toReversed(),
    };
    const target = notifies[0]?.headers.get("contact")?.slice(1, -1) ?? "";
    expect((await ask("SUBSCRIBE", target, { ...within, Expires: "100" })).status).toBe(200);
    await net.run("1s");
    expect((await ask("SUBSCRIBE", target, { ...within, Expires: "0" })).status).toBe(200);
    await net.run("1s");
    expect(notifies.map((notify) => notify.headers.get("subscription-state"))).toEqual([
      ...["active;expires=3761", "active;expires=3755"],
      ...["active;expires=100", "terminated;reason=timeout"],
    ]);
    expect(notifies.map(contactsIn).slice(2)).toEqual([added, added]);
    await net.run("400s");
    expect(net.errors).toEqual([]);
    expect(regEvents.counts()).toEqual({ subscriptions: 0, users: 0 });
  });
});
