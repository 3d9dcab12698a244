import { type Packet, Request, type Target, targets } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { Proxy, StatelessProxy } from "@sipkit/proxy";
import { expect, it } from "vitest";

/** As many devices of bob's; other ones each time that somebody asks, so that nothing is a loop. */
function devices(count: number): (packet: Packet) => undefined {
  let asked = 0;
  return (packet) => {
    if (!packet.isRequest) return undefined;
    asked += 1;
    const found = Array.from(
      { length: count },
      (_, device): Target => ({
        uri: `sip:bob${asked}@192.0.2.${device + 10}`,
        q: 1,
        route: [],
        expiresAt: Number.POSITIVE_INFINITY,
      }),
    );
    packet.set(targets, found);
    return undefined;
  };
}

function told(packets: readonly Packet[]): readonly (number | string)[] {
  return packets.map((packet) => (packet.isRequest ? packet.method : packet.status));
}

it("a request that has more targets than maxBreadth is refused with 440", async () => {
  const server = await TestServer.start([devices(3), new Proxy({ maxBreadth: 2 })]);
  expect(told((await server.ask("INVITE sip:bob@example.com SIP/2.0")).sent)).toEqual([440]);
  expect(server.dispatcher.counters()).toMatchObject({ breadthExhausted: 1 });
  await server.close();
});

it("a request without Max-Forwards is forwarded 71 times, then refused with 483", async () => {
  const proxy = new StatelessProxy({ recordRoute: false });
  const server = await TestServer.start([devices(1), proxy], { domains: ["example.com"] });
  // An ACK would be dropped, and what has no dialog is forwarded to our own users alone.
  let wire = [
    "OPTIONS sip:bob@example.com SIP/2.0",
    "Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK1",
    "From: <sip:alice@example.com>;tag=1",
    "To: <sip:bob@example.com>",
    "Call-ID: 1",
    "CSeq: 1 OPTIONS",
    "\r\n",
  ].join("\r\n");
  let hops = 0;
  let last: readonly Packet[] = [];
  for (; hops < 100; hops += 1) {
    last = (await server.ask(Request.parse(wire))).sent;
    const [forwarded] = last;
    if (!forwarded?.isRequest) break;
    forwarded.uri = "sip:bob@example.com";
    wire = forwarded.toWire();
  }
  expect(told(last)).toEqual([483]);
  expect(hops).toBe(71);
  expect(server.dispatcher.counters()).toMatchObject({ tooManyHops: 1 });
  await server.close();
});

it("an INVITE that rings is remembered for 181 s, and no longer", async () => {
  const proxy = new StatelessProxy();
  const server = await TestServer.start([devices(1), proxy]);
  const { sent } = await server.ask("INVITE sip:bob@example.com SIP/2.0");
  expect(told(sent)).toEqual(["INVITE"]);
  await server.ask((sent[0] as Request).createResponse(180));
  await server.clock.advance(180_999);
  expect(proxy.rememberedForwards).toBe(1);
  await server.clock.advance(1);
  expect(proxy.rememberedForwards).toBe(0);
  await server.close();
});
